// Stands in for the one of antd's portal (see `vite.config.ts`): that one writes a style sheet of its own into the page, which
// the page's policy forbids. What is behind a dialog stays where it is, and no wider for the bar that is gone.
import { useLayoutEffect } from 'react'

let locks = 0

export default function useScrollLocker(lock?: boolean): void {
  useLayoutEffect(() => {
    if (!lock) return
    const { style } = document.body
    if (locks++ === 0) {
      style.width = `calc(100% - ${innerWidth - document.documentElement.clientWidth}px)`
      style.overflowY = 'hidden'
    }
    return () => {
      if (--locks === 0) style.width = style.overflowY = ''
    }
  }, [lock])
}
