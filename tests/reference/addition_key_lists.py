"""Names and shapes of every tensor of the published networks that stand beside a model: ControlNets, T2I-Adapters,
IP-Adapters and their image encoders, from the real classes on the meta device.

Writes tests/data/keys, as key_lists.py does: <network>.json, <network>.keys; <network>_original.keys with the names of the
authors' own files, checked against diffusers' converter; of IP-Adapters the names alone.
Run: python tests/reference/addition_key_lists.py
"""

import torch
from diffusers import ControlNetModel, T2IAdapter, UNet2DConditionModel
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from control import net_names
from image_prompts import shapes_of
from key_lists import SD1_UNET, SD2_UNET, SDXL_UNET, UNETS, save, save_names

CONTROLNETS = {"controlnet_sd15": SD1_UNET, "controlnet_sd21": SD2_UNET, "controlnet_sdxl": SDXL_UNET}
T2I = dict(in_channels=3, channels=[320, 640, 1280, 1280], num_res_blocks=2)
T2I_ADAPTERS = {
    "t2iadapter_sd15": dict(T2I, downscale_factor=8, adapter_type="full_adapter"),
    "t2iadapter_sd15_light": dict(T2I, channels=[320, 640, 1280], num_res_blocks=4, downscale_factor=8,
                                  adapter_type="light_adapter"),
    "t2iadapter_sdxl": dict(T2I, downscale_factor=16, adapter_type="full_adapter_xl"),
}
IMAGE_ENCODERS = {
    "clip_vision_h": dict(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=16,
                          image_size=224, patch_size=14, projection_dim=1024, hidden_act="gelu"),
    "clip_vision_bigg": dict(hidden_size=1664, intermediate_size=8192, num_hidden_layers=48, num_attention_heads=16,
                             image_size=224, patch_size=14, projection_dim=1280, hidden_act="gelu"),
}
H = dict(patch=1280, whole=1024, tokens=16, hidden=768, heads=12, depth=4)
IMAGE_ADAPTERS = {  # name -> (kind, U-Net, sizes)
    "ip_adapter_sd15": ("whole", "unet_sd15", H),
    "ip_adapter_plus_sd15": ("resampler", "unet_sd15", H),
    "ip_adapter_full_face_sd15": ("patches", "unet_sd15", H),
    "ip_adapter_sdxl": ("whole", "unet_sdxl", dict(H, whole=1280)),
    "ip_adapter_plus_sdxl_vit_h": ("resampler", "unet_sdxl", dict(H, hidden=1280, heads=20)),
}


def control_of(unet: dict) -> ControlNetModel:
    return ControlNetModel(**{key: value for key, value in unet.items() if key not in ("sample_size", "up_block_types")})


def main() -> None:
    with torch.device("meta"):
        for name, unet in CONTROLNETS.items():
            net = control_of(unet)
            save(name, net.to_json_string(), net)
            state = net.state_dict()
            save_names(name + "_original", {original: state[own].shape for own, original in net_names(net).items()})
        for name, config in T2I_ADAPTERS.items():
            adapter = T2IAdapter(**config)
            save(name, adapter.to_json_string(), adapter)
        for name, config in IMAGE_ENCODERS.items():
            encoder = CLIPVisionModelWithProjection(CLIPVisionConfig(**config))
            encoder.config.architectures = ["CLIPVisionModelWithProjection"]
            save(name, encoder.config.to_json_string(use_diff=False), encoder)
        for name, (kind, unet, sizes) in IMAGE_ADAPTERS.items():
            save_names(name, shapes_of(kind, UNet2DConditionModel(**UNETS[unet]), sizes))


if __name__ == "__main__":
    main()
