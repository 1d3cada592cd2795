"""Node.js handlers as the service has them, beyond what test_clients.py does with them."""

from shared import Case, create, invoke, texts


class Node(Case):
    def handler(self, code, event=None, **more):
        name = create({"index.mjs": code}, runtime="nodejs18.x", handler="index.handler", **more)
        return name, invoke(name, event)

    def test_a_handler_that_says_nothing_is_answered_with_null(self):
        for code in ("export const handler = (event, context) => {};", "export const handler = () => {};",
                     "export const handler = (event, context, callback) => { console.log('x'); };"):
            name, done = self.handler(code)
            self.assertEqual((done.error, done.payload), (None, None), code)
            self.assertEqual(invoke(name).payload, None)

    def test_and_not_before_what_it_began_is_done(self):
        name, done = self.handler("export const handler = (event, context) => { setTimeout(() => console.log('later'), 300); };")
        self.assertEqual((done.error, done.payload), (None, None))
        self.assertIn("later", texts(name))
