// What can be done on the page that is shown, by name: the commands run it, and an address may ask for it (`#do=rollback`),
// so that a message on a phone leads to the question itself.
import { useLocation, useNavigate } from '@tanstack/react-router'
import { useEffect, useId, useRef } from 'react'

export interface Verb {
  label: string
  danger: boolean
  run: () => void
}

const here = new Map<string, Verb>()
/** Why what has this name may not be done now. */
const refusals = new Map<string, string>()

/** In the order in which they stand on the page. */
export const verbsHere = (): Verb[] => [...here.values()]

const PREFIX = 'do='
export const asked = (verb: string): string => `${PREFIX}${verb}`
/** What is shown is still being read for as long. */
const PATIENCE_MS = 5_000

/** Offers it for as long as the button is there; `name` is what an address asks for, `refused` why it may not be pressed. */
export function useVerb(name: string | undefined, refused: string | undefined, { label, danger, run }: Verb): void {
  const id = useId()
  const hash = useLocation({ select: (at) => at.hash })
  const navigate = useNavigate()
  const latest = useRef(run)
  latest.current = run
  const offered = name !== undefined && refused === undefined
  useEffect(() => {
    if (!offered) return
    here.set(id, { label, danger, run: () => latest.current() })
    return () => void here.delete(id)
  }, [id, offered, label, danger])
  useEffect(() => {
    if (name === undefined || refused === undefined) return
    refusals.set(name, refused)
    return () => void refusals.delete(name)
  }, [name, refused])
  useEffect(() => {
    if (!offered || hash !== asked(name)) return
    // Once: it must not open again on the way back.
    void navigate({ to: '.', search: true, hash: '', replace: true, resetScroll: false })
    latest.current()
  }, [offered, name, hash, navigate])
}

/** Tells when an address asks for what the page does not offer, with the reason where there is one. */
export function useUnmet(tell: (why: string | undefined) => void): void {
  const hash = useLocation({ select: (at) => at.hash })
  const navigate = useNavigate()
  const latest = useRef(tell)
  latest.current = tell
  useEffect(() => {
    if (!hash.startsWith(PREFIX)) return
    const timer = setTimeout(() => {
      latest.current(refusals.get(hash.slice(PREFIX.length)))
      void navigate({ to: '.', search: true, hash: '', replace: true, resetScroll: false })
    }, PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [hash, navigate])
}
