/* The layout of version 0.1: a program that was built with it must find every field where it was. A file that does not
 * compile here breaks the interface; fields are added at the end, and their lines here. */
#include <fjord/c.h>

#define SIZE(type, size) typedef char size_of_##type[sizeof(type) >= (size) ? 1 : -1]
#define AT(type, field, offset) typedef char place_of_##type##_##field[offsetof(type, field) == (offset) ? 1 : -1]

SIZE(fjord_load_options, 56);
AT(fjord_load_options, threads, 24);
AT(fjord_load_options, log, 40);
AT(fjord_load_options, log_user, 48);
SIZE(fjord_file, 24);
SIZE(fjord_storage, 32);
AT(fjord_storage, read, 24);
SIZE(fjord_pipeline_info, 176);
AT(fjord_pipeline_info, guidance, 40);
AT(fjord_pipeline_info, scheduler, 112);
SIZE(fjord_request_options, 64);
AT(fjord_request_options, guidance, 24);
AT(fjord_request_options, prompt, 40);
AT(fjord_request_options, scheduler, 56);
SIZE(fjord_control_use, 48);
AT(fjord_control_use, pixels, 16);
AT(fjord_control_use, end, 40);
SIZE(fjord_pixels, 16);
AT(fjord_pixels, width, 8);
SIZE(fjord_layer_scale, 16);
SIZE(fjord_image_prompt, 48);
AT(fjord_image_prompt, masks, 16);
AT(fjord_image_prompt, layer_count, 40);
SIZE(fjord_progress, 24);
AT(fjord_progress, seconds, 16);
SIZE(fjord_result_info, 40);
AT(fjord_result_info, seed, 24);
AT(fjord_result_info, seconds, 32);
SIZE(fjord_queue_options, 32);
AT(fjord_queue_options, background, 24);
SIZE(fjord_job_options, 40);
AT(fjord_job_options, on_progress, 16);
AT(fjord_job_options, user, 32);
SIZE(fjord_job_status, 40);
AT(fjord_job_status, preview_width, 20);
AT(fjord_job_status, seconds, 32);
SIZE(fjord_memory_plan, 40);
AT(fjord_memory_plan, weights, 8);
AT(fjord_memory_plan, peak, 32);
typedef char statuses_are_fixed[FJORD_OUT_OF_MEMORY == 6 && FJORD_BAD_HANDLE == 11 && FJORD_NOT_READY == 13 ? 1 : -1];
