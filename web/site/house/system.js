/**
 * What kind of device this is.
 *
 * @param {{userAgent: string, maxTouchPoints: number}} browser such as navigator.
 * @returns {"ios" | "android" | "windows" | "macos" | "linux"}
 */
export function systemOf({ userAgent, maxTouchPoints }) {
  if (/iPhone|iPad|iPod/.test(userAgent)) return "ios";
  // An iPad calls itself a Mac, but no Mac has a touch screen.
  if (/Macintosh/.test(userAgent)) return maxTouchPoints > 1 ? "ios" : "macos";
  if (/Android/.test(userAgent)) return "android";
  return /Windows/.test(userAgent) ? "windows" : "linux";
}

/** Firefox on a computer does not read the system's certificates unless it is told to. */
export const keepsOwnCertificates = ({ userAgent }) => /Firefox\//.test(userAgent) && !/Android/.test(userAgent);
