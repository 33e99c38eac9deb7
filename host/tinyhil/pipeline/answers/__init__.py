"""Who answers in a run: a live device, or a recording of one."""

from tinyhil.pipeline.answers.base import Answers, Firmware, Question
from tinyhil.pipeline.answers.live_device import LiveDevice
from tinyhil.pipeline.answers.recorded_device import RecordedDevice
from tinyhil.pipeline.answers.running_device import RunningDevice

__all__ = ["Answers", "Firmware", "LiveDevice", "Question", "RecordedDevice", "RunningDevice"]
