// The vendors' own code for Node: reads one question (JSON) from standard input, writes one answer.
// {"library": "<name>", "body", "headers", "url", "secret", "at"} -> {"valid": …} or {"signature": …}

import { text } from "node:stream/consumers";

const libraries = {
  async shopify({ body, headers, secret }) {
    await import("@shopify/shopify-api/adapters/node");
    const { shopifyApi, LogSeverity } = await import("@shopify/shopify-api");
    const shopify = shopifyApi({
      apiKey: "example",
      apiSecretKey: secret,
      apiVersion: "2026-10",
      hostName: "hooks.example.com",
      isEmbeddedApp: false,
      logger: { level: LogSeverity.Error, log: () => {} },
    });
    return shopify.webhooks.validate({
      rawBody: body,
      rawRequest: { headers, method: "POST", url: "/webhooks/shopify" },
      rawResponse: {},
    });
  },
  async "meta-sign"({ body, secret }) {
    const { sign } = await import("@octokit/webhooks-methods");
    return { signature: await sign(secret, body) };
  },
  async "meta-verify"({ body, secret, headers }) {
    const { verify } = await import("@octokit/webhooks-methods");
    return { valid: await verify(secret, body, headers["x-hub-signature-256"]) };
  },
  async "hubspot-sign"({ body, url, secret, at }) {
    const { Signature } = (await import("@hubspot/api-client")).default;
    return { signature: Signature.getSignature("POST", "v3", { clientSecret: secret, requestBody: body, url, timestamp: at }) };
  },
  async "hubspot-verify"({ body, url, secret, headers }) {
    const { Signature } = (await import("@hubspot/api-client")).default;
    const valid = Signature.isValid({
      signatureVersion: "v3",
      signature: headers["x-hubspot-signature-v3"],
      method: "POST",
      clientSecret: secret,
      requestBody: body,
      url,
      timestamp: Number(headers["x-hubspot-request-timestamp"]),
    });
    return { valid };
  },
  async "twilio-sign"({ url, fields, secret }) {
    const twilio = (await import("twilio")).default;
    return { signature: twilio.getExpectedTwilioSignature(secret, url, fields) };
  },
  async "twilio-verify"({ url, fields, secret, headers }) {
    const twilio = (await import("twilio")).default;
    return { valid: twilio.validateRequest(secret, headers["x-twilio-signature"], url, fields) };
  },
  async "stripe-sign"({ body, secret, at }) {
    const Stripe = (await import("stripe")).default;
    const payload = { payload: body, secret, timestamp: at };
    return { signature: new Stripe("sk_test_example").webhooks.generateTestHeaderString(payload) };
  },
  async "stripe-verify"({ body, secret, headers }) {
    const Stripe = (await import("stripe")).default;
    const header = headers["stripe-signature"] ?? headers["calendly-webhook-signature"];
    try {
      new Stripe("sk_test_example").webhooks.constructEvent(body, header, secret);
      return { valid: true };
    } catch (error) {
      return { valid: false, reason: error.message };
    }
  },
};

const question = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await libraries[question.library](question)));
