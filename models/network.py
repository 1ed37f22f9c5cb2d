"""The network: an encoder and four small heads on its characters. The only module besides train.py that needs torch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedModel

# Orders of two figures in a passage farther apart than this are one and the same distance.
MAX_DISTANCE = 12
POINTER = 64


class Outputs(NamedTuple):
    """``tags`` (batch, length, tags); ``nil`` (batch, length, fields); ``pointer`` (batch, length, 4 x POINTER)."""

    tags: Tensor
    nil: Tensor
    pointer: Tensor


class Network(nn.Module):
    """Tags for every character, fields for every nil, and what is needed to point from a part to its whole.

    ``pointer`` holds, one after the other, the query of a span's first and of its last character, and the keys of
    both; a span's query (key) is the sum of its two. The score of whole j for part i is their scaled product plus
    ``distance[j - i]``; ``alone`` is the score of there being no whole.
    """

    def __init__(self, encoder: PreTrainedModel, tags: int, fields: int, dropout: float = 0.1) -> None:
        """Heads of random weights on ``encoder``."""
        super().__init__()
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.dropout = nn.Dropout(dropout)
        self.tag_head = nn.Linear(width, tags)
        self.nil_head = nn.Linear(width, fields)
        self.pointer_head = nn.Linear(width, 4 * POINTER)
        self.distance = nn.Parameter(torch.zeros(2 * MAX_DISTANCE + 1))
        self.alone = nn.Parameter(torch.zeros(1))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Outputs:
        """Outputs for token ids and their mask, both (batch, length)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        hidden = self.dropout(hidden)
        return Outputs(self.tag_head(hidden), self.nil_head(hidden), self.pointer_head(hidden))

    def whole_scores(self, pointer: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
        """Scores (n, n + 1) of each whole for each of n spans of one window; the last column is no whole.

        ``pointer`` is (length, 4 x POINTER), ``ends`` are inclusive.
        """
        first_query, last_query, first_key, last_key = pointer.split(POINTER, dim=-1)
        query = first_query[starts] + last_query[ends]
        key = first_key[starts] + last_key[ends]
        order = torch.arange(len(starts))
        steps = (order[None, :] - order[:, None]).clamp(-MAX_DISTANCE, MAX_DISTANCE) + MAX_DISTANCE
        scores = query @ key.T / POINTER**0.5 + self.distance[steps]
        scores = scores.masked_fill(torch.eye(len(starts), dtype=torch.bool), -1e4)
        return torch.cat([scores, self.alone.expand(len(starts), 1)], dim=1)


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
    """The encoder at ``base`` (a directory or hub id), its first ``layers`` layers, or its shape with random weights."""
    config = AutoConfig.from_pretrained(base)
    if layers:
        config.num_hidden_layers = layers
    # With dropout of attention torch takes a path on CPU that is several times slower.
    config.attention_probs_dropout_prob = 0.0
    if random_start:
        return AutoModel.from_config(config)
    return AutoModel.from_pretrained(base, config=config, dtype=torch.float32)
