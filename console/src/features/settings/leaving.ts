/** Forms in which something stands that is not kept: nobody leaves them unasked. */

import { shallowReactive } from "vue";

export const held = shallowReactive(new Set<object>());
