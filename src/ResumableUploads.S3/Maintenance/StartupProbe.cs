using Amazon.S3;
using Amazon.S3.Model;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Maintenance;

/// <summary>Tests at start whether the service keeps the conditions of writes, on which the whole store depends.</summary>
internal sealed class StartupProbe(StoreContext context)
{
    private const string UnknownETag = "\"00000000000000000000000000000000\"";

    private readonly string _key = context.Keys.CreateProbe();

    private string Endpoint => context.Storage.Client.Config is var config && config.ServiceURL is { Length: > 0 } url ? url : $"AWS region {config.RegionEndpoint?.SystemName}";

    /// <exception cref="InvalidOperationException">A step failed.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            string first = await StepAsync("write an object with If-None-Match", token => context.Storage.PutOnceAsync(_key, [1], null, token), cancellationToken);
            await RefusedAsync("PUT with If-None-Match: *", token => context.Storage.PutOnceAsync(_key, [2], null, token), cancellationToken);
            await RefusedAsync("PUT with If-Match", token => context.Storage.PutOnceAsync(_key, [2], UnknownETag, token), cancellationToken);
            string second = await StepAsync("write an object with If-Match", token => context.Storage.PutOnceAsync(_key, [3], first, token), cancellationToken);
            await StepAsync("read an object", CheckReadAsync, cancellationToken);
            await StepAsync("list objects", CheckListAsync, cancellationToken);
            await RefusedAsync("DELETE with If-Match", token => DeleteAsync(first, token), cancellationToken);
            await StepAsync("delete an object with If-Match", token => DeleteAsync(second, token), cancellationToken);
        }
        catch (InvalidOperationException)
        {
            await context.Storage.Client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = context.Storage.Bucket, Key = _key }, cancellationToken)
                .ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    private async Task<string> CheckReadAsync(CancellationToken cancellationToken) =>
        await context.Storage.FindAsync(_key, cancellationToken) is { } found && found.Bytes is [3]
            ? found.ETag
            : throw new InvalidOperationException($"The object storage at '{Endpoint}' does not return what was written before. The store requires strong consistency.");

    private async Task<string> CheckListAsync(CancellationToken cancellationToken)
    {
        await foreach (IReadOnlyList<S3Object> page in context.Storage.ListAsync(_key, null, cancellationToken))
        {
            if (page.Any(found => found.Key == _key))
            {
                return _key;
            }
        }

        throw new InvalidOperationException($"The object storage at '{Endpoint}' does not list what was written before. The store requires strong consistency.");
    }

    private async Task<string> DeleteAsync(string eTag, CancellationToken cancellationToken)
    {
        await context.Storage.DeleteOnceAsync(_key, eTag, cancellationToken);
        return eTag;
    }

    private async Task<string> StepAsync(string step, Func<CancellationToken, Task<string>> run, CancellationToken cancellationToken)
    {
        try
        {
            return await run(cancellationToken);
        }
        catch (Exception e) when ((StorageErrors.IsStorageError(e) || e is Abstractions.UploadStoreException) && !cancellationToken.IsCancellationRequested)
        {
            string hint = (e as AmazonS3Exception ?? e.InnerException as AmazonS3Exception)?.ErrorCode switch
            {
                "NoSuchBucket" => "The bucket does not exist: create it.",
                "AccessDenied" or "SignatureDoesNotMatch" or "InvalidAccessKeyId" =>
                    "Check the credentials, and that they allow s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on the objects and s3:ListBucket on the bucket.",
                "NotImplemented" => "The service does not support conditional writes, which the store requires.",
                _ => "Check the URL of the service, the bucket and the credentials.",
            };
            throw new InvalidOperationException(
                $"The object storage at '{Endpoint}' failed to {step} '{_key}' in bucket '{context.Storage.Bucket}': {e.Message} {hint}", e);
        }
    }

    private async Task RefusedAsync(string request, Func<CancellationToken, Task<string>> run, CancellationToken cancellationToken)
    {
        try
        {
            await run(cancellationToken);
        }
        catch (Exception e) when (StorageErrors.IsConditionFailed(e) || StorageErrors.IsConflict(e))
        {
            return;
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e) && !cancellationToken.IsCancellationRequested)
        {
            throw new InvalidOperationException(
                $"The object storage at '{Endpoint}' answered a {request} whose condition is not met with an unexpected error: {e.Message} The store requires a service with conditional writes.", e);
        }

        throw new InvalidOperationException(
            $"The object storage at '{Endpoint}' ignores the condition of a {request}. Two servers would overwrite each other's uploads. Use a service, or a version of it, that keeps conditions of PUT and DELETE.");
    }
}
