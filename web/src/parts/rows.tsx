import type { ReactNode } from 'react'
import './rows.css'

export interface Column<T> {
  head: string
  cell: (item: T) => ReactNode
  /** Buttons: at the end, and without a head on a narrow screen. */
  acts?: boolean
  /** Takes what is left of the width. */
  wide?: boolean
}

/** A table; on a narrow screen each row is a card with its heads beside its values. */
export function Rows<T>({ label, columns, items, id }: { label: string; columns: Column<T>[]; items: readonly T[]; id: (item: T) => string }) {
  return (
    <div className="rows-box">
      <table className="rows" role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.head} role="columnheader" scope="col" className={column.acts ? 'acts' : undefined}>
                {column.acts ? <span className="visually-hidden">{column.head}</span> : column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {items.map((item) => (
            <tr key={id(item)} role="row">
              {columns.map((column) => (
                <td key={column.head} role="cell" data-head={column.head} className={column.acts ? 'acts' : column.wide ? 'wide' : undefined}>
                  <div>{column.cell(item)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
