/** Where to go on to: only within this console, an address from elsewhere leads nowhere. */
export const within = (to: string | undefined): string => {
  if (!to?.startsWith('/')) return '/'
  const url = new URL(to, location.origin)
  return url.origin === location.origin ? url.pathname + url.search + url.hash : '/'
}
