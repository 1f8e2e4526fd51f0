/// <reference types="vite/client" />

import "vue-router";

declare module "vue-router" {
  interface RouteMeta {
    /** Key of the place's name, for the window's title. */
    title: string;
    /** Whether it is shown to who has not signed in. */
    open?: boolean;
  }
}
