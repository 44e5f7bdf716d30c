// Which nodes are of this pack.
const OWN = /^Seedream/;
const PAYING = new Set(["SeedreamPreferential", "SeedreamEvolink", "SeedreamBatch"]);

export function isOwn(node) {
  return OWN.test(node.comfyClass ?? "");
}

/** Whether a run of the node may charge. */
export function isPaying(node) {
  return PAYING.has(node.comfyClass);
}
