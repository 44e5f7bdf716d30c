// What is known of a linked input before a run.

/** Returns the file of a Load Image node that is linked to an input, or else a link as in an API prompt. */
export function describeLink(node, slot) {
  const origin = node.getInputNode?.(slot);
  const file = origin?.widgets?.find((widget) => widget.name === "image")?.value;
  const isLoaded = origin?.type === "LoadImage" && origin.mode === 0 && node.getInputLink?.(slot)?.origin_slot === 0;
  return isLoaded && typeof file === "string" ? { load_image: file } : ["", 0];
}
