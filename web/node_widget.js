// The widget that holds the lines and pictures of a node, as high as its text.
import { loadTranslations, translate } from "./i18n.js";

const MARGIN_PX = 4;
const LEAST_PX = 30;
const PROMPT_PX = 90; // ComfyUI gives a text box two lines.
const NAME = "seedream_charge";

export class StatusWidget {
  /** `element` fills the widget; `body` inside it is as high as its content. */
  constructor(node, element, body) {
    Object.assign(this, { node, element, body, height: LEAST_PX });
    const prompt = node.widgets?.find((widget) => widget.name === "prompt" && widget.element);
    if (prompt?.options) prompt.options.getMinHeight = () => PROMPT_PX;
    const getHeight = () => (element.hidden ? 0 : this.height);
    this.widget = node.addDOMWidget(NAME, NAME, element, {
      serialize: false,
      hideOnZoom: false,
      selectOn: [],
      margin: MARGIN_PX,
      getValue: () => "",
      setValue: () => {},
      getMinHeight: getHeight,
      getMaxHeight: getHeight,
    });
    // Keep it out of the saved workflow, whose values are read by position, and of the prompt.
    this.widget.serialize = false;
    this.widget.serializeValue = undefined;
    loadTranslations().then(() => this.setLabel());
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(body);
  }

  /** Names the widget where a list of inputs shows it, with a short text about the next run. */
  setLabel(text) {
    this.widget.label = [translate("line.label"), text].filter(Boolean).join(" · ");
  }

  /** Makes room for the text as it wraps; a node is never made smaller than its user made it. */
  fit() {
    const needed = this.body.offsetHeight + 2 * MARGIN_PX;
    if (needed === 2 * MARGIN_PX || Math.abs(needed - this.height) < 2) return;
    this.height = needed;
    const [width, height] = this.node.size;
    const least = this.node.computeSize()[1];
    if (height < least) this.node.setSize([width, least]);
    this.node.setDirtyCanvas?.(true, true);
  }

  close() {
    this.sizes.disconnect();
  }
}
