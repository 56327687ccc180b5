// Whatever changes something: a button, and the question it puts before it does it.
import { Button, type ButtonProps } from 'antd'
import { type ReactNode, useState } from 'react'
import { Ask, type Question } from './ask'
import { useVerb } from './verbs'

export interface ActProps<Made = unknown> extends Question<Made> {
  icon?: ReactNode
  primary?: boolean
  /** One of many, as in a list: no frame, and its danger is told only when it is pressed. */
  quiet?: boolean
  /** Not now, and why not: shown as disabled, with the reason. */
  refused?: string | undefined
  /** It was put off: what must not stay about can be forgotten. */
  onPutOff?: () => void
  size?: ButtonProps['size']
  /** By which an address asks for it: `#do=rollback`. */
  verb?: string
  /** What the commands call it, where the button's own words need the page around them. */
  verbLabel?: string
  /** Called as it is asked for: what is shown may move on while somebody reads what will happen. */
  opened?: () => void
  closed?: () => void
}

export function Act<Made = unknown>(props: ActProps<Made>) {
  const { icon, primary, quiet, refused, onPutOff, size, verb, verbLabel, opened, closed, ...question } = props
  const { label, danger } = question
  const [open, setOpen] = useState(false)
  const ask = (): void => {
    opened?.()
    setOpen(true)
  }
  useVerb(verb, refused, { label: verbLabel ?? label, danger: danger ?? false, run: ask })
  return (
    <>
      <Button
        {...(icon ? { icon: <span aria-hidden="true">{icon}</span> } : {})}
        {...(size ? { size } : {})}
        danger={(danger && !quiet) ?? false}
        type={quiet ? 'text' : primary ? 'primary' : 'default'}
        disabled={refused !== undefined}
        title={refused}
        onClick={ask}
      >
        {label}
      </Button>
      <Ask
        {...question}
        open={open}
        closed={closed}
        close={(how) => {
          setOpen(false)
          if (how === 'put off') onPutOff?.()
        }}
      />
    </>
  )
}
