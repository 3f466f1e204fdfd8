/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "model.h"

#define CLIENTS(X) X(publish)

#define DECLARE(name) extern const struct model_client model_##name;
#define ADDRESS(name) &model_##name,
CLIENTS(DECLARE)

const struct model_client *const model_clients[] = { CLIENTS(ADDRESS) NULL };
