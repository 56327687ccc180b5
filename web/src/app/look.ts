import { useSyncExternalStore } from 'react'

export type Look = 'light' | 'dark' | 'system'
const KEPT = 'tradewind.look'
const dark = matchMedia('(prefers-color-scheme: dark)')
const watchers = new Set<() => void>()

export const look = (): Look => {
  const kept = localStorage.getItem(KEPT)
  return kept === 'light' || kept === 'dark' ? kept : 'system'
}

export const isDark = (): boolean => (look() === 'system' ? dark.matches : look() === 'dark')

const show = (): void => {
  document.documentElement.dataset['theme'] = isDark() ? 'dark' : 'light'
  watchers.forEach((w) => w())
}

export function startLook(): void {
  dark.addEventListener('change', show)
  show()
}

export function setLook(next: Look): void {
  if (next === 'system') localStorage.removeItem(KEPT)
  else localStorage.setItem(KEPT, next)
  show()
}

const watch = (w: () => void): (() => void) => {
  watchers.add(w)
  return () => watchers.delete(w)
}

export const useDark = (): boolean => useSyncExternalStore(watch, isDark)
export const useLook = (): Look => useSyncExternalStore(watch, look)
