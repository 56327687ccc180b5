// Keys that work on every page: `G` and a letter leads to a page, `?` tells of them all.
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { isTyping } from '../parts/typing'

const PAGES = { o: '/', e: '/events', p: '/people', s: '/system', a: '/account' } as const
/** For how long a second key belongs to the `G` before it. */
const TOGETHER_MS = 1_500

export function useKeys(commands: () => void, help: () => void): void {
  const navigate = useNavigate()
  useEffect(() => {
    let went = 0
    const pressed = (event: KeyboardEvent): void => {
      const key = event.key.toLowerCase()
      if ((event.metaKey || event.ctrlKey) && key === 'k') {
        event.preventDefault()
        commands()
        return
      }
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event)) return
      if (event.key === '?') help()
      else if (key === 'g') went = event.timeStamp
      else if (event.timeStamp - went < TOGETHER_MS && key in PAGES) {
        went = 0
        void navigate({ to: PAGES[key as keyof typeof PAGES] })
      } else return
      event.preventDefault()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [commands, help, navigate])
}
