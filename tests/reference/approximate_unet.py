"""diffusers' U-Net run layer by layer, so that layers can be left out: DeepCache, T-GATE, token merging.

The layers are the real ones; this file only decides which of them run, and on what. Nothing is written.
"""

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock


class PixelMerging:
    """Merges `ratio` of the pixels of one picture into the top left pixels of 2x2 cells, by their cosine to `x`."""

    def __init__(self, x: torch.Tensor, height: int, width: int, ratio: float):
        cells = [(2 * row * width + 2 * column) for row in range(height // 2) for column in range(width // 2)]
        others = [pixel for pixel in range(height * width) if pixel not in set(cells)]
        unit = x / x.norm(dim=-1, keepdim=True)
        best, favourite = (unit[others] @ unit[cells].T).max(-1) if cells else (torch.zeros(0), torch.zeros(0))
        count = min(int(ratio * height * width), len(others)) if cells else 0
        order = best.argsort(descending=True, stable=True).tolist() if cells else range(len(others))
        self.cells = cells
        self.members = {cell: [cell] for cell in cells}
        for i in order[:count]:
            self.members[cells[favourite[i]]].append(others[i])
        self.kept = [others[i] for i in order[count:]]
        self.pixels = height * width

    def merge(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[pixel] for pixel in self.kept] + [x[self.members[cell]].mean(0) for cell in self.cells])

    def unmerge(self, merged: torch.Tensor) -> torch.Tensor:
        out = merged.new_empty(self.pixels, merged.shape[1])
        out[self.kept] = merged[:len(self.kept)]
        for row, cell in zip(merged[len(self.kept):], self.cells):
            out[self.members[cell]] = row
        return out


class ApproximateUNet:
    def __init__(self, unet: UNet2DConditionModel):
        self.unet = unet
        self.text_use, self.branches, self.merge_ratio = "attend", 1, 0.0
        self.answers, self.deep = {}, None
        finest = next((i for i, block in enumerate(unet.down_blocks) if hasattr(block, "attentions")), None)
        blocks = [] if finest is None else [unet.down_blocks[finest], unet.up_blocks[len(unet.up_blocks) - 1 - finest]]
        for name, module in unet.named_modules():
            if isinstance(module, BasicTransformerBlock):
                self.watch(module, any(module in list(block.modules()) for block in blocks))

    def watch(self, block: BasicTransformerBlock, finest: bool) -> None:
        """Puts this object between the block and its attention layers."""
        seen = {}
        block.register_forward_pre_hook(
            lambda _, args, kwargs: seen.update(x=args[0] if args else kwargs["hidden_states"]), with_kwargs=True)
        for attention, on_text in ((block.attn1, block.only_cross_attention), (block.attn2, True)):
            attend = attention.forward
            if on_text:
                attention.forward = lambda *args, a=attend, **kwargs: self.attend_to_text(a, *args, **kwargs)
            elif finest:
                attention.forward = lambda *args, a=attend, **kwargs: self.attend_to_pixels(a, seen["x"], *args, **kwargs)

    def attend_to_text(self, attend, hidden, **kwargs):
        if self.text_use == "repeat":
            return self.answers[attend]
        answer = attend(hidden, **kwargs)
        if self.text_use == "keep":
            self.answers[attend] = sum(answer.chunk(self.branches)) / self.branches
        return answer

    def attend_to_pixels(self, attend, x, hidden, **kwargs):
        if self.merge_ratio == 0:
            return attend(hidden, **kwargs)
        merges = [PixelMerging(picture, *self.finest_size, self.merge_ratio) for picture in x]
        merged = torch.stack([merge.merge(picture) for merge, picture in zip(merges, hidden)])
        return torch.stack([merge.unmerge(picture) for merge, picture in zip(merges, attend(merged, **kwargs))])

    def time_features(self, sample, timestep, text, added):
        unet = self.unet
        temb = unet.time_embedding(unet.get_time_embed(sample=sample, timestep=timestep))
        extra = unet.get_aug_embed(emb=temb, encoder_hidden_states=text, added_cond_kwargs=added)
        return temb if extra is None else temb + extra

    def way_down(self, hidden, temb, text, layers):
        """At most `layers` layers, each of which leaves a skip connection."""
        skips = [hidden]
        for block in self.unet.down_blocks:
            attentions = getattr(block, "attentions", [None] * len(block.resnets))
            for resnet, attention in zip(block.resnets, attentions):
                if len(skips) > layers:
                    return hidden, skips
                hidden = self.layer(resnet, attention, hidden, temb, text)
                skips.append(hidden)
            if block.downsamplers and len(skips) <= layers:
                hidden = block.downsamplers[0](hidden)
                skips.append(hidden)
        return hidden, skips

    def layer(self, resnet, attention, hidden, temb, text):
        hidden = resnet(hidden, temb)
        if attention is None:
            return hidden
        self.finest_size = hidden.shape[2:]  # read by layers at the finest resolution alone
        return attention(hidden, encoder_hidden_states=text, return_dict=False)[0]

    def way_up(self, hidden, temb, text, skips, branch):
        """From the layer that takes the last of the skips; keeps what the layer of skip `branch` gets."""
        number = sum(len(block.resnets) for block in self.unet.up_blocks)
        for block in self.unet.up_blocks:
            attentions = getattr(block, "attentions", [None] * len(block.resnets))
            ran = False
            for resnet, attention in zip(block.resnets, attentions):
                number -= 1
                if number >= len(skips):
                    continue
                if number == branch:
                    self.deep = hidden
                hidden = self.layer(resnet, attention, torch.cat([hidden, skips.pop()], 1), temb, text)
                ran = True
            if ran and block.upsamplers:
                hidden = block.upsamplers[0](hidden, skips[-1].shape[2:])
        return hidden

    def __call__(self, sample, timestep, text, added=None, branch=None, reuse=False):
        """branch: DeepCache's cache_branch_id, or None; reuse: run on the features of the latest whole evaluation."""
        unet = self.unet
        temb = self.time_features(sample, timestep, text, added)
        hidden, skips = self.way_down(unet.conv_in(sample), temb, text, branch if reuse else 10 ** 6)
        if reuse:
            hidden = self.deep[-len(sample):]
        else:
            hidden = unet.mid_block(hidden, temb, encoder_hidden_states=text)
        hidden = self.way_up(hidden, temb, text, skips, branch)
        return unet.conv_out(unet.conv_act(unet.conv_norm_out(hidden)))
