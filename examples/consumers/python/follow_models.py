"""Follows Heddle's models: `python follow_models.py BROKERS [PREFIX]`. It knows Heddle from its published contract alone."""

import os
import signal
import sys

from confluent_kafka import Consumer, KafkaError, KafkaException

from record import NoEvent, event_of
from view import apply, describe, read_view, save_view

TOPICS = ["heddle.models.v1", "heddle.evaluations.v1", "heddle.serving.v1"]


def main(brokers: str = "127.0.0.1:9092", prefix: str = "") -> None:
    path = os.environ.get("FOLLOW_MODELS_FILE", "models.json")
    view = read_view(path)
    counts = {"applied": 0, "repeated": 0, "unknown": 0, "skipped": 0}
    last_said = describe(view)
    ending = []
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ending.append(True))
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"{prefix}follow-models-python",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            # A topic is made with its first record: look for those that were not there.
            "topic.metadata.refresh.interval.ms": 2_000,
        }
    )
    consumer.subscribe([prefix + topic for topic in TOPICS])
    try:
        while not ending:
            record = consumer.poll(0.5)
            if record is None:
                continue
            if record.error() is not None:
                # The broker is asked again by itself; what cannot heal ends us.
                if record.error().code() != KafkaError.UNKNOWN_TOPIC_OR_PART and not record.error().retriable():
                    raise KafkaException(record.error())
                continue
            counts[take(view, record)] += 1
            # First the view is saved, then the offset moves: a death between the two gives a repeat, which the view knows.
            save_view(path, view)
            consumer.commit(message=record, asynchronous=False)
            says = describe(view)
            if says != last_said:
                last_said = says
                print("\n".join(says), flush=True)
    finally:
        consumer.close()
    print("ended: " + ", ".join(f"{n} {what}" for what, n in counts.items()), flush=True)


def take(view: dict, record) -> str:
    try:
        return apply(view, event_of(record.key(), record.value(), record.headers()))
    except NoEvent as why:
        place = f"offset {record.offset()} of {record.topic()}, partition {record.partition()}"
        print(f"skipped {place}: {why}", file=sys.stderr, flush=True)
        return "skipped"


if __name__ == "__main__":
    main(*sys.argv[1:])
