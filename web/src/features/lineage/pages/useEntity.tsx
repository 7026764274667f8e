import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Question } from "@/shared/api/queries";
import { Empty, Failure, Loading } from "@/shared/ui/States";

/** One entity by its id: what it is, or what to show instead. */
export function useEntity<Item>(query: Question<Item | null>, what: string, id: string): { item: Item } | { instead: ReactNode } {
  const { data, error, isPending, refetch } = useQuery(query);
  if (error) return { instead: <Failure error={error} retry={() => void refetch()} /> };
  if (isPending) return { instead: <Loading what={what} /> };
  if (data === null) return { instead: <Empty title={`No such ${what}`}>There is no {what} with the id {id}. It may have been removed when its time was over.</Empty> };
  return { item: data };
}
