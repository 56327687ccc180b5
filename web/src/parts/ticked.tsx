import { Fragment } from 'react'

/** A sentence of the server's, whose commands and settings stand between backticks; one that is alone stays what it is. */
export const Ticked = ({ text }: { text: string }) => (
  <>{text.split(/`([^`]+)`/).map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : <Fragment key={at}>{part}</Fragment>))}</>
)
