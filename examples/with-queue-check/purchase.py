"""What function, shop and checker agree on: the name and the bytes of a version's object."""

import json


def name(image):
    return f"purchases/{image['id']['S']}-{image['_version']['N']}.json"


def body(image):
    return json.dumps(image, sort_keys=True)
