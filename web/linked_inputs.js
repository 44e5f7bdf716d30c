// The inputs of a node before a run, and what is known of the linked ones.

/** Collects the inputs, without those of `widget`, as an API prompt has them: a linked one is a list. */
export function collectInputs(node, widget) {
  const shown = node.widgets.filter((one) => one !== widget);
  const given = Object.fromEntries(shown.map(({ name, value }) => [name, value]));
  (node.inputs ?? []).forEach((input, slot) => {
    if (node.isInputConnected(slot)) given[input.name] = describeLink(node, slot);
  });
  return given;
}

/** Returns the file of a Load Image node that is linked to an input, or else a link as in an API prompt. */
function describeLink(node, slot) {
  const origin = node.getInputNode?.(slot);
  const file = origin?.widgets?.find((widget) => widget.name === "image")?.value;
  const isLoaded = origin?.type === "LoadImage" && origin.mode === 0 && node.getInputLink?.(slot)?.origin_slot === 0;
  return isLoaded && typeof file === "string" ? { load_image: file } : ["", 0];
}
