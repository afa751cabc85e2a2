/** The part of Preact + htm that the screens use. */
export interface VNode {
  type: unknown;
  props: Record<string, unknown>;
}
export type Child = VNode | string | number | boolean | null | undefined | Child[];
export type Setter<T> = (next: T | ((last: T) => T)) => void;

export function h(type: unknown, props: Record<string, unknown> | null, ...children: Child[]): VNode;
export function html(parts: TemplateStringsArray, ...values: unknown[]): VNode;
export function render(tree: Child, parent: Element): void;
export class Component<P = Record<string, unknown>, S = Record<string, unknown>> {
  props: P;
  state: S;
  constructor(props: P);
  setState(patch: Partial<S>): void;
  forceUpdate(): void;
}
export function createContext<T>(initial: T): { Provider: unknown };
export function useState<T>(initial: T | (() => T)): [T, Setter<T>];
export function useReducer<S, A>(reduce: (state: S, action: A) => S, initial: S): [S, (action: A) => void];
export function useEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useRef<T>(initial: T): { current: T };
export function useMemo<T>(make: () => T, inputs?: readonly unknown[]): T;
export function useCallback<F>(callback: F, inputs?: readonly unknown[]): F;
export function useErrorBoundary(callback?: (error: unknown) => void): [unknown, () => void];
