/** A picture that is pasted, or dropped anywhere on the page: a browser would leave the page for it. */

import { onBeforeUnmount, onMounted } from "vue";

/** Call `take` with it. */
export function useGiven(take: (file: File) => void): void {
  const isFile = (data: DataTransfer | null) => data?.types.includes("Files") === true;

  function onPaste({ clipboardData: data }: ClipboardEvent): void {
    const file = data?.files[0];
    // What is copied from a table is words, and a picture of them beside.
    if (file !== undefined && data?.getData("text/plain") === "") take(file);
  }

  function onOver(event: DragEvent): void {
    if (isFile(event.dataTransfer)) event.preventDefault();
  }

  function onDrop(event: DragEvent): void {
    const file = event.dataTransfer?.files[0];
    if (!isFile(event.dataTransfer)) return;
    event.preventDefault();
    if (file !== undefined) take(file);
  }

  onMounted(() => {
    addEventListener("paste", onPaste);
    addEventListener("dragover", onOver);
    addEventListener("drop", onDrop);
  });
  onBeforeUnmount(() => {
    removeEventListener("paste", onPaste);
    removeEventListener("dragover", onOver);
    removeEventListener("drop", onDrop);
  });
}
