// What every list of events needs: the names of hosts, and which rows are open.
import { useQuery } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import { api, got } from '../../api/client'
import { whole } from '../../api/queries'

const hostsQuery = {
  queryKey: ['hosts', 'names'],
  queryFn: async () => {
    const hosts = await whole((after) => got(api.GET('/api/v1/hosts', { params: { query: { limit: 200, ...(after && { after }) } } })))
    return new Map(hosts.map((h) => [h.id, h.name]))
  },
}
const NO_HOSTS: ReadonlyMap<string, string> = new Map()

export const useHosts = (): ReadonlyMap<string, string> => useQuery(hostsQuery).data ?? NO_HOSTS

/** Rows that are open, by their number. */
export function useOpen(): [ReadonlySet<number>, (seq: number) => void] {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const toggle = useCallback(
    (seq: number) =>
      setOpen((before) => {
        const now = new Set(before)
        if (!now.delete(seq)) now.add(seq)
        return now
      }),
    [],
  )
  return [open, toggle]
}
