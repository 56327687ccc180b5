import { Link } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'
import './sections.css'

export interface Section {
  key: string
  label: string
  children: ReactNode
}

/** Parts of a page, each with an address of its own; the first where none is named. */
export function Sections({ to, label, items, at }: { to: '/people' | '/system'; label: string; items: Section[]; at: string | undefined }) {
  const shown = items.find((item) => item.key === at) ?? items[0]
  const nav = useRef<HTMLElement>(null)
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [shown?.key])
  return (
    <>
      <nav className="sections" aria-label={label} ref={nav}>
        {items.map((item) => (
          <Link key={item.key} to={to} search={{ tab: item.key }} aria-current={item === shown ? 'page' : undefined} className="section" activeProps={{}}>
            {item.label}
          </Link>
        ))}
      </nav>
      <div key={shown?.key}>{shown?.children}</div>
    </>
  )
}
