"""What is wrong with a screen: by axe-core's rules of WCAG 2.2 A and AA, and for a gloved hand."""

from pathlib import Path

from kiosk.worker_hand import LOOK, TARGET_PX
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
HOW_TO_GET_AXE = "axe-core is not there: npm install (in the folder of package.json) brings it once"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
"""Tags of axe-core for WCAG 2.0 to 2.2, levels A and AA."""
ASK = """async (tags) => {
  const asked = { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] };
  const found = await axe.run(document, asked);
  return found.violations.flatMap((rule) => rule.nodes.map((node) => {
    const data = [...node.any, ...node.all, ...node.none].map((check) => check.message).join('; ');
    return `${rule.id} [${node.target.join(' ')}] ${data}`;
  }));
}"""


def accessible(page: Page) -> list[str]:
    """Return the violations that axe-core finds on what is shown.

    Raises:
        FileNotFoundError: axe-core is not installed; the text says how.
    """
    if not page.evaluate("typeof axe === 'object'"):
        if not AXE.is_file():
            raise FileNotFoundError(HOW_TO_GET_AXE)
        page.evaluate(AXE.read_text("utf-8"))
    found: list[str] = page.evaluate(ASK, list(RULES))
    return found


def reachable(page: Page) -> list[str]:
    """Return what is cut off, out of reach, nameless or too small for a glove."""
    found: list[str] = page.evaluate(LOOK, TARGET_PX)
    return found


def within(page: Page) -> list[str]:
    """Return what stands beyond the side of a page that only scrolls downwards."""
    wide: list[int] = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return [f"the page is {wide[0]} px wide on a screen of {wide[1]}"] if wide[0] > wide[1] else []
