#!/usr/bin/env bash
# The whole training, from nothing to a pipeline folder: about 1 h 50 min on one core.
# Usage: weights/training/train_all.sh WORK_FOLDER        (a finished stage is not done again)
# PYTHON names an interpreter that has the packages of requirements.txt.
set -euo pipefail
work=${1:?"usage: train_all.sh WORK_FOLDER"}
here=$(dirname "$0")
python=${PYTHON:-python3}

# stage RESULT WHAT SCRIPT ARGUMENTS...
stage() {
  local result=$1 what=$2 script=$3
  shift 3
  if [ -e "$work/$result" ]; then echo "Have $result."; return; fi
  echo "$what"
  "$python" "$here/$script" "$@"
}

mkdir -p "$work"
stage tokenizer "Tokenizer: 1 min" train_tokenizer.py "$work/tokenizer"
stage data/scenes.json "24,000 pictures: 3 min" make_dataset.py "$work/data"
stage vae "VAE: 16 min" train_vae.py "$work/data" "$work/vae"
stage denoiser1 "Text encoder and U-Net: 28 min" train_denoiser.py "$work/data" "$work/vae" "$work/tokenizer" "$work/denoiser1"
stage denoiser2 "The same, further: 50 min" train_denoiser.py "$work/data" "$work/vae" "$work/tokenizer" "$work/denoiser2" \
  --from "$work/denoiser1" --minutes 48 --rate 8e-4
stage vae_sharp "Sharper decoder: 17 min" train_vae.py "$work/data" "$work/vae_sharp" --from "$work/vae" --decoder-only --minutes 17
stage model "Export" export.py "$work/denoiser2" "$work/vae_sharp" "$work/tokenizer" "$work/model"
echo "The model is $work/model."
