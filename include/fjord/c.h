/* fjord in plain C (C99): handles, status codes, no exceptions. docs/embedding.md shows how to use it.
 *
 * Handles are numbers; 0 is none. A handle that was freed, never given out or of another kind gives FJORD_BAD_HANDLE.
 * Structs begin with struct_size = sizeof(the struct) as the caller was compiled (FJORD_INIT sets it); zero in a field
 * means its default, so a struct of an older header keeps working. Bytes that this library does not know must be zero.
 * Text is UTF-8 and ends with a zero byte; NULL is the empty text where nothing else is said. What is passed in is
 * copied before the function returns, unless its comment says otherwise. Functions that can fail return a fjord_status.
 * Where it is not FJORD_OK, out-parameters are untouched, and fjord_last_error() has one sentence: what was expected,
 * what came, where. No function ends the process or lets an exception out. Callbacks get the `user` pointer that came
 * with them. Threads: "free" may be called from any thread at any time, also several at once with the same handle. "One
 * at a time" wants no other call with the same handle meanwhile. Handles keep what they need alive: freeing a pipeline
 * while a request of it runs is safe. After fork() handles of the parent give FJORD_BAD_HANDLE in the child. */
#ifndef FJORD_C_H
#define FJORD_C_H

#include <stddef.h>
#include <stdint.h>

#define FJORD_C_API __attribute__((visibility("default")))

/* A struct with its size and zeros: fjord_load_options options = FJORD_INIT(fjord_load_options); */
#ifdef __cplusplus
template <typename Struct>
inline Struct fjord_init() {
  Struct out = Struct();
  out.struct_size = static_cast<uint32_t>(sizeof(Struct));
  return out;
}
#define FJORD_INIT(type) fjord_init<type>()
extern "C" {
#else
#define FJORD_INIT(type) \
  { .struct_size = (uint32_t)sizeof(type) }
#endif

/* ---- Status ---- */

typedef int32_t fjord_status;
enum {
  FJORD_OK = 0,
  FJORD_INVALID_ARGUMENT = 1,   /* a parameter is out of range or contradicts another */
  FJORD_NOT_FOUND = 2,          /* a file, folder or named thing does not exist */
  FJORD_BAD_FILE = 3,           /* a file exists but its content is damaged or does not fit */
  FJORD_UNSUPPORTED = 4,        /* well-formed, but not implemented */
  FJORD_DEVICE_UNAVAILABLE = 5, /* the wished device is not there */
  FJORD_OUT_OF_MEMORY = 6,      /* memory ran out; the next request may work */
  FJORD_CANNOT_WRITE = 7,       /* a file could not be written; nothing half-written remains */
  FJORD_CANCELLED = 8,          /* the request was cancelled */
  FJORD_NON_FINITE = 9,         /* NaN or infinity appeared in the latents or the picture */
  FJORD_INTERNAL = 10,          /* a bug, or an exception out of a callback */
  FJORD_BAD_HANDLE = 11,        /* a handle that is freed, foreign, of another kind, or 0 */
  FJORD_BUSY = 12,              /* not possible from inside a callback */
  FJORD_NOT_READY = 13          /* the job has not ended yet */
};

/* Short stable name of a status, "bad_handle"; "unknown" for other numbers. Free. */
FJORD_C_API const char* fjord_status_name(fjord_status status);
/* What went wrong in the latest failing call on this thread, at most 511 bytes; valid until the next call on this
 * thread. Empty before the first failure. Free. */
FJORD_C_API const char* fjord_last_error(void);

/* ---- Library ---- */

/* Version of the loaded library, "major.minor.patch". Within a minor version functions, enums and fields are only
 * added. Free. */
FJORD_C_API const char* fjord_version(void);
/* 1 if the library has a feature here, else 0: "cpu", "cuda" (a GPU that works), "jobs", "packing", "time_slices",
 * "memory_loading", "embeddings", "latent_preview". Unknown names and NULL give 0. Free. */
FJORD_C_API int32_t fjord_has_feature(const char* name);

typedef void (*fjord_log_fn)(void* user, int32_t level, const char* message);
enum { FJORD_LOG_INFO = 1, FJORD_LOG_WARNING = 2, FJORD_LOG_ERROR = 3 };

/* ---- Pipelines ---- */

typedef uint64_t fjord_pipeline;
enum { FJORD_PRECISION_AUTO = 0, FJORD_FLOAT32 = 1, FJORD_BFLOAT16 = 2, FJORD_FLOAT16 = 3 };

typedef struct fjord_load_options {
  uint32_t struct_size;
  int32_t precision;            /* of weights and arithmetic; 0: float32 on a CPU, bfloat16 on a GPU */
  const char* device;           /* "auto" (NULL), "cpu", "cuda" or "cuda:<index>" */
  const char* cpu_kernels;      /* "auto" (NULL), "reference", or a name that `fjord doctor` prints */
  int32_t threads;              /* CPU threads of a request, 1 to 1024; 0: LibTorch's default */
  int32_t drop_text_encoder;    /* not 0: read it anew for every request, and give its memory back */
  int32_t without_text_encoder; /* not 0: its weights are not read; requests must bring embeddings */
  int32_t reserved;             /* 0 */
  fjord_log_fn log; /* told of loads, warnings and failures of this pipeline, from any thread; may be NULL */
  void* log_user;
} fjord_load_options;

/* A file in memory. */
typedef struct fjord_file {
  const char* name; /* relative, with '/': "unet/config.json" */
  const void* data; /* must stay while the pipeline loads, with drop_text_encoder while it lives */
  uint64_t size;
} fjord_file;

/* The host's own storage. Its functions may be called from several threads at once. */
typedef struct fjord_storage {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  void* user;
  /* Bytes in the file; negative if there is none of that name. */
  int64_t (*size)(void* user, const char* name);
  /* Fills out with so many bytes from offset; not 0: cannot be read. */
  int32_t (*read)(void* user, const char* name, uint64_t offset, void* out, uint64_t bytes);
} fjord_storage;

/* Load a model: a path on disk, files in memory, or a storage. options may be NULL. Free. */
FJORD_C_API fjord_status fjord_pipeline_load(const char* path, const fjord_load_options* options, fjord_pipeline* out);
FJORD_C_API fjord_status fjord_pipeline_load_files(const fjord_file* files, size_t count,
                                                   const fjord_load_options* options, fjord_pipeline* out);
FJORD_C_API fjord_status fjord_pipeline_load_storage(const fjord_storage* storage, const fjord_load_options* options,
                                                     fjord_pipeline* out);
/* Gives the handle back; the memory goes with the last request that uses it. Free. */
FJORD_C_API fjord_status fjord_pipeline_free(fjord_pipeline pipeline);

typedef struct fjord_pipeline_info {
  uint32_t struct_size;
  int32_t width, height;   /* default picture size in pixels */
  int32_t size_multiple;   /* width and height must be multiples of it */
  int32_t max_size;        /* largest width or height */
  int32_t steps;           /* default number of steps */
  int32_t max_steps;       /* training steps of the model */
  int32_t latent_channels; /* */
  int32_t max_tokens;      /* window of the text encoder */
  int32_t reserved;        /* 0 */
  double guidance;         /* default guidance scale */
  char device[32];         /* "cpu" */
  char kernels[32];        /* "avx512" */
  char scheduler[64];      /* class name of the model's own */
} fjord_pipeline_info;
/* Fills as much of *out as out->struct_size says. Free. */
FJORD_C_API fjord_status fjord_pipeline_get_info(fjord_pipeline pipeline, fjord_pipeline_info* out);

/* ---- Requests ---- */

typedef uint64_t fjord_request;
typedef uint64_t fjord_embeddings;

/* The common fields; all others by name with fjord_request_set. */
typedef struct fjord_request_options {
  uint32_t struct_size;
  int32_t width, height; /* pixels; 0: the model's */
  int32_t steps;         /* 0: the model's */
  int32_t images;        /* pictures in one batch; 0: one */
  int32_t has_guidance;  /* not 0: guidance counts; 0: the model's */
  double guidance;       /* above 1: on */
  uint64_t seed;
  const char* prompt;
  const char* negative_prompt;
  const char* scheduler; /* class name; NULL: the model's own */
} fjord_request_options;

/* options may be NULL. Values are checked when the request is used. Free. */
FJORD_C_API fjord_status fjord_request_create(const fjord_request_options* options, fjord_request* out);
/* Sets any field by the name it has in fjord/request.h, with a '.' for nested ones: "guidance_rescale",
 * "approximation.cache_interval", "scheduler_options.use_karras_sigmas". Numbers as text ("0.7"), booleans "true" or
 * "false", lists of numbers with commas. Gives FJORD_NOT_FOUND for an unknown name and FJORD_INVALID_ARGUMENT for
 * a value that is not of the field's kind. One at a time. */
FJORD_C_API fjord_status fjord_request_set(fjord_request request, const char* name, const char* value);
/* The names that fjord_request_set knows, one a line with its kind: "steps integer\n". Valid for ever. Free. */
FJORD_C_API const char* fjord_request_fields(void);
/* An array field, row-major: "latents". NULL values with 0 dims empties it. One at a time. */
FJORD_C_API fjord_status fjord_request_set_array(fjord_request request, const char* name, const float* values,
                                                 const int64_t* shape, size_t dims);
/* A picture field: "image_input.images" (3 bytes a pixel; each call adds one) or "image_input.inpaint.mask" (1 byte a
 * pixel). Rows from top to bottom without padding. NULL pixels empties the field. One at a time. */
FJORD_C_API fjord_status fjord_request_set_image(fjord_request request, const char* name, const void* pixels,
                                                 int32_t width, int32_t height, int32_t channels);
/* Embeddings in place of the prompts. One at a time. */
FJORD_C_API fjord_status fjord_request_set_embeddings(fjord_request request, fjord_embeddings embeddings);
/* One at a time. */
FJORD_C_API fjord_status fjord_request_free(fjord_request request);

/* Adapters: LoRA and its kin, and textual inversions (docs/adapters.md), for requests to the pipeline that loaded them.
 * A request keeps those that were added to it: their handles may be freed before it runs. */
typedef uint64_t fjord_adapter;
/* A file or folder with a LoRA, LoHa, LoKr or DoRA. Free. */
FJORD_C_API fjord_status fjord_adapter_load(fjord_pipeline pipeline, const char* path, fjord_adapter* out);
/* A textual inversion. `token` stands for it in prompts; NULL: the name inside the file, else the file's own. Free. */
FJORD_C_API fjord_status fjord_adapter_load_embedding(fjord_pipeline pipeline, const char* path, const char* token,
                                                      fjord_adapter* out);
FJORD_C_API fjord_status fjord_adapter_free(fjord_adapter adapter);
/* Adds an adapter with its strengths, -100 to 100, in the U-Net and in the text encoders; at most 64. Strengths of
 * a textual inversion are 1. One at a time. */
FJORD_C_API fjord_status fjord_request_add_adapter(fjord_request request, fjord_adapter adapter, double unet,
                                                   double text);
/* Takes all adapters out of a request. One at a time. */
FJORD_C_API fjord_status fjord_request_clear_adapters(fjord_request request);

/* What a request will take of memory, in bytes on the pipeline's device. */
typedef struct fjord_memory_plan {
  uint32_t struct_size;
  int32_t vae_tiling; /* 1: pictures are decoded in tiles, as asked for or to stay within "memory_budget" */
  uint64_t weights;   /* kept as long as the pipeline lives */
  uint64_t denoising; /* at most besides, while the U-Net runs */
  uint64_t decoding;  /* at most besides, while the VAE decodes */
  uint64_t peak;      /* weights and the larger of the two */
} fjord_memory_plan;
/* Checks a request and plans it; runs nothing. FJORD_OUT_OF_MEMORY if it cannot stay within "memory_budget". Free. */
FJORD_C_API fjord_status fjord_pipeline_plan(fjord_pipeline pipeline, fjord_request request, fjord_memory_plan* out);

/* What the text encoder makes of the prompts, to be kept: a game may ship these in place of the encoder. NULL prompts
 * are empty ones. Free. */
FJORD_C_API fjord_status fjord_encode_prompt(fjord_pipeline pipeline, const char* prompt, const char* negative_prompt,
                                             fjord_embeddings* out);
/* A safetensors file, written whole or not at all. Free. */
FJORD_C_API fjord_status fjord_embeddings_save(fjord_embeddings embeddings, const char* path);
FJORD_C_API fjord_status fjord_embeddings_load(const char* path, fjord_embeddings* out);
FJORD_C_API fjord_status fjord_embeddings_load_memory(const void* data, uint64_t size, fjord_embeddings* out);
FJORD_C_API fjord_status fjord_embeddings_free(fjord_embeddings embeddings);

/* ---- Control networks ---- */

/* ControlNets and T2I-Adapters: they see a picture and steer by it where things go. */
typedef uint64_t fjord_control;

/* Load a network for this pipeline: a folder or safetensors file, or files in memory or a storage, which are then
 * "config.json" and "diffusion_pytorch_model.safetensors". Nothing of them is needed afterwards. Free. */
FJORD_C_API fjord_status fjord_control_load(fjord_pipeline pipeline, const char* path, fjord_control* out);
FJORD_C_API fjord_status fjord_control_load_files(fjord_pipeline pipeline, const fjord_file* files, size_t count,
                                                  fjord_control* out);
FJORD_C_API fjord_status fjord_control_load_storage(fjord_pipeline pipeline, const fjord_storage* storage,
                                                    fjord_control* out);
/* Requests that have it keep it. Free. */
FJORD_C_API fjord_status fjord_control_free(fjord_control control);

typedef struct fjord_control_use {
  uint32_t struct_size;
  int32_t width, height; /* of the picture */
  int32_t hide_painted;  /* not 0: a ControlNet for inpainting; it does not see what the mask paints. The picture may
                            then be NULL: the request's own */
  const void* pixels;    /* 3 bytes a pixel, rows from top to bottom without padding */
  double scale;          /* how loud, to 100; 0: 1 */
  double begin;          /* from this fraction of the steps on */
  double end;            /* to this one; 0: 1 */
} fjord_control_use;
/* Adds a network to the request, at most 8. "guess_mode" is a field of fjord_request_set. One at a time. */
FJORD_C_API fjord_status fjord_request_add_control(fjord_request request, fjord_control control,
                                                   const fjord_control_use* use);
/* Takes all of them out. One at a time. */
FJORD_C_API fjord_status fjord_request_clear_controls(fjord_request request);

/* ---- Image prompts ---- */

/* IP-Adapters: an image encoder looks at pictures, and the request resembles them (docs/image-prompts.md). */
typedef uint64_t fjord_image_adapter;

/* For this pipeline: a safetensors file, and the folder of its image encoder; NULL: image_encoder beside the file.
 * Free. */
FJORD_C_API fjord_status fjord_image_adapter_load(fjord_pipeline pipeline, const char* path, const char* encoder,
                                                  fjord_image_adapter* out);
/* Requests that have it keep it. Free. */
FJORD_C_API fjord_status fjord_image_adapter_free(fjord_image_adapter adapter);

/* Rows from top to bottom without padding. */
typedef struct fjord_pixels {
  const void* data;
  int32_t width, height;
} fjord_pixels;

typedef struct fjord_layer_scale {
  const char* name; /* a part of the names of layers: "up_blocks.0.attentions.1"; the longest that fits counts */
  double scale;     /* -100 to 100 */
} fjord_layer_scale;

typedef struct fjord_image_prompt {
  uint32_t struct_size;
  int32_t count;                         /* pictures that are looked at together, 1 to 16 */
  const fjord_pixels* pictures;          /* 3 bytes a pixel, of any size */
  const fjord_pixels* masks;             /* NULL, or for each of them where it counts, 1 byte a pixel */
  double scale;                          /* -100 to 100; 0: 1, or 0 where layer_scales says more */
  const fjord_layer_scale* layer_scales; /* may be NULL */
  int32_t layer_count;                   /* of layer_scales */
  int32_t reserved;                      /* 0 */
} fjord_image_prompt;
/* Adds pictures to be resembled, at most 16 times. One at a time. */
FJORD_C_API fjord_status fjord_request_add_image_prompt(fjord_request request, fjord_image_adapter adapter,
                                                        const fjord_image_prompt* prompt);
/* Takes all of them out. One at a time. */
FJORD_C_API fjord_status fjord_request_clear_image_prompts(fjord_request request);

/* ---- Results ---- */

typedef uint64_t fjord_result;
enum { FJORD_RGB8 = 0, FJORD_RGBA8 = 1, FJORD_RGB_FLOAT = 2, FJORD_RGBA_FLOAT = 3 };
enum { FJORD_ENCODE_PROMPT = 0, FJORD_DENOISE = 1, FJORD_DECODE = 2, FJORD_FINISHED = 3 };

typedef struct fjord_progress {
  uint32_t struct_size;
  int32_t phase; /* FJORD_ENCODE_PROMPT or another */
  int32_t step;  /* denoising steps done, 0 to steps */
  int32_t steps;
  double seconds; /* since the request began */
} fjord_progress;

/* Called after every phase and step on the thread of fjord_generate; not 0: cancel. */
typedef int32_t (*fjord_progress_fn)(void* user, const fjord_progress* progress);

/* Runs a request to its end on the calling thread. progress may be NULL. Free. */
FJORD_C_API fjord_status fjord_generate(fjord_pipeline pipeline, fjord_request request, fjord_progress_fn progress,
                                        void* user, fjord_result* out);

typedef struct fjord_result_info {
  uint32_t struct_size;
  int32_t images, width, height;
  int32_t warnings; /* fjord_result_warning has them */
  int32_t reserved; /* 0 */
  uint64_t seed;
  double seconds; /* of the whole request */
} fjord_result_info;
/* Free, as all functions of a result. */
FJORD_C_API fjord_status fjord_result_get_info(fjord_result result, fjord_result_info* out);
/* Copies picture `index` as rows from top to bottom without padding: 3 or 4 bytes or floats (0 to 1) a pixel. `bytes`
 * is the room at `pixels`; less than needed is refused. */
FJORD_C_API fjord_status fjord_result_copy_image(fjord_result result, int32_t index, int32_t format, void* pixels,
                                                 uint64_t bytes);
/* The latents, [images, channels, height, width]: *shape gets the four extents; values (may be NULL: only the shape)
 * has room for `count` floats. */
FJORD_C_API fjord_status fjord_result_copy_latents(fjord_result result, int64_t shape[4], float* values,
                                                   uint64_t count);
/* For example: the prompt was cut. *out is valid until the result is freed. */
FJORD_C_API fjord_status fjord_result_warning(fjord_result result, int32_t index, const char** out);
FJORD_C_API fjord_status fjord_result_write_png(fjord_result result, int32_t index, const char* path);
FJORD_C_API fjord_status fjord_result_free(fjord_result result);

/* ---- Jobs ---- */

typedef uint64_t fjord_queue;
typedef uint64_t fjord_job;
enum { FJORD_JOB_QUEUED = 0, FJORD_JOB_RUNNING = 1, FJORD_JOB_DONE = 2, FJORD_JOB_FAILED = 3, FJORD_JOB_CANCELLED = 4 };

typedef struct fjord_queue_options {
  uint32_t struct_size;
  int32_t workers;     /* threads that run jobs, 1 to 64; 0: one */
  int32_t time_slices; /* not 0: no workers, jobs run inside fjord_queue_advance */
  int32_t threads;     /* CPU threads of each worker at most; 0: what the pipeline was loaded with */
  int32_t max_packed;  /* jobs of equal size that run as one batch, 1 to 64; 0: one */
  int32_t max_waiting; /* jobs that may wait; 0: 1024 */
  int32_t background;  /* not 0: workers compute only while no other thread wants the processor */
  int32_t reserved;    /* 0 */
} fjord_queue_options;

/* options may be NULL. Free. */
FJORD_C_API fjord_status fjord_queue_create(const fjord_queue_options* options, fjord_queue* out);
/* Cancels all jobs of the queue and waits until they have ended and their callbacks returned; handles of jobs stay
 * valid. FJORD_BUSY from a callback. Free. */
FJORD_C_API fjord_status fjord_queue_free(fjord_queue queue);
/* For time_slices: works for about max_milliseconds, 0 to 86400000, in pieces as small as a network's layer. *more (may
 * be NULL) is 1 while jobs remain, else 0. One at a time. */
FJORD_C_API fjord_status fjord_queue_advance(fjord_queue queue, double max_milliseconds, int32_t* more);

/* Called on a thread of the queue, never two at once for one job. */
typedef void (*fjord_job_progress_fn)(void* user, fjord_job job, const fjord_progress* progress);
/* Called once, when the job has ended: FJORD_OK, FJORD_CANCELLED or what went wrong. */
typedef void (*fjord_job_end_fn)(void* user, fjord_job job, fjord_status status);

typedef struct fjord_job_options {
  uint32_t struct_size;
  int32_t priority;      /* the highest runs first; equal ones in the order of submission */
  int32_t preview_every; /* steps between latent previews; 0: none */
  int32_t alone;         /* not 0: never packed with others */
  fjord_job_progress_fn on_progress;
  fjord_job_end_fn on_end;
  void* user;
} fjord_job_options;

/* Takes the request as it is now and returns within a millisecond. options may be NULL. Free. */
FJORD_C_API fjord_status fjord_queue_submit(fjord_queue queue, fjord_pipeline pipeline, fjord_request request,
                                            const fjord_job_options* options, fjord_job* out);

typedef struct fjord_job_status {
  uint32_t struct_size;
  int32_t state; /* FJORD_JOB_QUEUED or another */
  int32_t phase; /* as in fjord_progress */
  int32_t step, steps;
  int32_t preview_width, preview_height; /* of the newest preview; 0 before the first */
  int32_t reserved;                      /* 0 */
  double seconds;
} fjord_job_status;
/* Free, as all functions of a job. */
FJORD_C_API fjord_status fjord_job_poll(fjord_job job, fjord_job_status* out);
/* Asks the job to end; it does before the next layer of its network. Never blocks. A job that has ended stays as it is.
 */
FJORD_C_API fjord_status fjord_job_cancel(fjord_job job);
/* Waits until the job has ended and its callbacks returned; FJORD_NOT_READY if that takes longer (a negative time:
 * for ever). FJORD_BUSY from a callback. */
FJORD_C_API fjord_status fjord_job_wait(fjord_job job, double milliseconds);
/* Copies the newest latent preview, 4 bytes a pixel; its size is in fjord_job_status. FJORD_NOT_READY before the first.
 */
FJORD_C_API fjord_status fjord_job_copy_preview(fjord_job job, void* rgba, uint64_t bytes);
/* What the job made; each call gives a handle of its own. FJORD_NOT_READY before the end; for a job that failed or was
 * cancelled, its status and sentence. */
FJORD_C_API fjord_status fjord_job_get_result(fjord_job job, fjord_result* out);
/* Gives the handle back. A job that has not ended is cancelled, and its callbacks are waited for: afterwards none
 * comes. FJORD_BUSY from a callback. */
FJORD_C_API fjord_status fjord_job_free(fjord_job job);

#ifdef __cplusplus
}
#endif
#endif
