import { type RefObject, useRef, useState } from 'react'

/** Whether it is in the clipboard now. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Without TLS a browser keeps its clipboard closed, but for what is selected.
    const area = document.createElement('textarea')
    area.value = text
    area.style.position = 'fixed'
    area.style.opacity = '0'
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}

const SAID_MS = 2_000

/** Copies, and says so for a moment; where that cannot be, what stands in `shown` is selected, so that one key does it. */
export function useCopy(text: string): { shown: RefObject<HTMLElement | null>; copied: boolean; copy: () => Promise<void> } {
  const [copied, setCopied] = useState(false)
  const shown = useRef<HTMLElement>(null)
  const copy = async (): Promise<void> => {
    if (await copyText(text)) {
      setCopied(true)
      setTimeout(() => setCopied(false), SAID_MS)
    } else if (shown.current) getSelection()?.selectAllChildren(shown.current)
  }
  return { shown, copied, copy }
}
