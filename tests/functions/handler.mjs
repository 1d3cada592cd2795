// A Node.js handler on AWS SDK v3 that knows no endpoint.
import { S3Client, PutObjectCommand } from '@aws-sdk/client-s3';

const s3 = new S3Client({});

export const handler = async (event, context) => {
  for (const key of event.keys) {
    await s3.send(new PutObjectCommand({ Bucket: event.bucket, Key: key, Body: context.awsRequestId }));
    console.log(`put ${key}`);
  }
  return { put: event.keys.length, left: context.getRemainingTimeInMillis() > 0 };
};
