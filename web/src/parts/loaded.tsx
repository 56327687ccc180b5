import { Skeleton } from 'antd'
import type { ReactNode } from 'react'
import type { UseQueryResult } from '@tanstack/react-query'
import { Trouble } from './trouble'

/** What was read; until then its outline, and what went wrong. What is there stays while it is read anew. */
export function Loaded<T>({ of, children, rows = 4 }: { of: UseQueryResult<T>; children: (data: T) => ReactNode; rows?: number }) {
  if (of.data !== undefined)
    return (
      <>
        {of.isError && <Trouble error={of.error} again={() => void of.refetch()} />}
        {children(of.data)}
      </>
    )
  if (of.isError) return <Trouble error={of.error} again={() => void of.refetch()} />
  return <Skeleton active title={false} paragraph={{ rows }} />
}
