// A list that is fetched page by page.
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import { Button } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Loaded } from '../../parts/loaded'

export function Listed<T>({
  of,
  empty,
  children,
}: {
  of: UseInfiniteQueryResult<InfiniteData<{ items: T[]; next: string | undefined }>>
  empty: ReactNode
  children: (items: T[]) => ReactNode
}) {
  const { t } = useTranslation()
  return (
    <Loaded of={of} rows={8}>
      {(data) => {
        const items = data.pages.flatMap((p) => p.items)
        if (items.length === 0) return empty
        return (
          <section className="sheet">
            {children(items)}
            {of.hasNextPage && (
              <div className="list-more">
                <Button loading={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
                  {t('more')}
                </Button>
              </div>
            )}
          </section>
        )
      }}
    </Loaded>
  )
}
