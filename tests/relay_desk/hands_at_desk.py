"""Three ways to use the desk: by mouse, by touch, and by keyboard alone."""

from playwright.sync_api import Page


class Mouse:
    """Points and clicks at a desk."""

    size = "desk"

    def __init__(self, page: Page) -> None:
        self.page = page

    def use(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def write(self, selector: str, text: str) -> None:
        self.use(selector)
        self.page.keyboard.type(text)


class Finger(Mouse):
    """Touches a phone."""

    size = "phone"

    def use(self, selector: str) -> None:
        self.page.locator(selector).first.tap()


class Keyboard(Mouse):
    """Never points: goes by Tab to what it uses."""

    def use(self, selector: str) -> None:
        self.go(selector)
        radio = self.page.evaluate("document.activeElement.type === 'radio'")
        self.page.keyboard.press("Space" if radio else "Enter")

    def go(self, selector: str) -> None:
        for _ in range(120):
            if self.page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never comes to {selector}")

    def write(self, selector: str, text: str) -> None:
        self.go(selector)
        self.page.keyboard.type(text)
