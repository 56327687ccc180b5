import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { Ticked } from './ticked'

const shown = (text: string): string => renderToStaticMarkup(<Ticked text={text} />)

test('what stands between backticks is code, and nothing is ever markup', () => {
  expect(shown('Set `judge.floor` and `run.port`.')).toBe('Set <code>judge.floor</code> and <code>run.port</code>.')
  expect(shown('one ` alone')).toBe('one ` alone')
  expect(shown('`<b>` <i>')).toBe('<code>&lt;b&gt;</code> &lt;i&gt;')
})
