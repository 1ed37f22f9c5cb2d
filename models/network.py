"""The network: an encoder and two small heads on its characters. The only module besides train.py that needs torch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedModel


class Outputs(NamedTuple):
    """``tags`` (batch, length, tags); ``nil`` (batch, length, fields)."""

    tags: Tensor
    nil: Tensor


class Network(nn.Module):
    """Tags for every character, and for every nil the fields that it denies."""

    def __init__(self, encoder: PreTrainedModel, tags: int, fields: int, dropout: float = 0.1) -> None:
        """Heads of random weights on ``encoder``."""
        super().__init__()
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.dropout = nn.Dropout(dropout)
        self.tag_head = nn.Linear(width, tags)
        self.nil_head = nn.Linear(width, fields)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Outputs:
        """Outputs for token ids and their mask, both (batch, length)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        hidden = self.dropout(hidden)
        return Outputs(self.tag_head(hidden), self.nil_head(hidden))


class Recurrent(nn.Module):
    """A two-layer BiLSTM on the frozen character embeddings of an encoder, in an encoder's place (a baseline)."""

    def __init__(self, encoder: PreTrainedModel, width: int = 256) -> None:
        """Takes the embeddings of ``encoder``; the rest is random."""
        super().__init__()
        self.embeddings = encoder.get_input_embeddings()
        self.embeddings.weight.requires_grad_(False)
        self.lstm = nn.LSTM(self.embeddings.embedding_dim, width, 2, batch_first=True, bidirectional=True, dropout=0.3)
        self.config = type(encoder.config)(hidden_size=2 * width, num_attention_heads=1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        """The hidden states (batch, length, 2 x width); padding stands at the right and is not read."""
        embedded = nn.functional.dropout(self.embeddings(input_ids), 0.3, self.training)
        packed = nn.utils.rnn.pack_padded_sequence(
            embedded, attention_mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )
        hidden, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return SimpleNamespace(last_hidden_state=hidden)


def load_encoder(base: str, layers: int | None = None, random_start: bool = False) -> PreTrainedModel:
    """The encoder at ``base`` (directory or hub id), its first ``layers`` layers, or its shape with random weights."""
    config = AutoConfig.from_pretrained(base)
    if layers:
        config.num_hidden_layers = layers
    # With dropout of attention torch takes a path on CPU that is several times slower.
    config.attention_probs_dropout_prob = 0.0
    if random_start:
        return AutoModel.from_config(config)
    return AutoModel.from_pretrained(base, config=config, dtype=torch.float32)
