using System.Runtime.CompilerServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using ResumableUploads.Abstractions;

namespace ResumableUploads.S3.Storage;

/// <summary>The objects of a bucket. Requests that can be repeated are retried; conditional writes are not.</summary>
internal sealed class ObjectStorage(IAmazonS3 client, string bucket, TimeProvider timeProvider)
{
    public const int MaxAttempts = 4;

    private const int MaxDeletedKeys = 1000;

    /// <summary>The time after which a response that stays silent is read again. The timeout of the client ends with the headers of a response.</summary>
    public static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(60);

    /// <summary>The time after which a request without content ends. The SDK waits for the body of its response without a limit, and ignores the token.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(50);

    public IAmazonS3 Client => client;

    public string Bucket => bucket;

    /// <summary>Reads a small object.</summary>
    public Task<(byte[] Bytes, string ETag)?> FindAsync(string key, CancellationToken cancellationToken) => RunAsync<(byte[], string)?>(
        async token =>
        {
            try
            {
                using GetObjectResponse response = await client.GetObjectAsync(new GetObjectRequest { BucketName = bucket, Key = key }, token);
                using var bytes = new MemoryStream((int)Math.Max(response.ContentLength, 0));
                using var timeout = new CancellationTokenSource(ReadTimeout, timeProvider);
                using var source = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, token);
                await response.ResponseStream.CopyToAsync(bytes, source.Token);
                return (bytes.ToArray(), response.ETag);
            }
            catch (AmazonS3Exception e) when (StorageErrors.IsNotFound(e))
            {
                return null;
            }
        },
        $"read '{key}'",
        isWrite: false,
        cancellationToken);

    /// <summary>Opens a range of an object, or returns <see langword="null"/> if the object does not exist.</summary>
    public Task<GetObjectResponse?> OpenAsync(string key, long first, long last, CancellationToken cancellationToken) => RunAsync(
        async token =>
        {
            try
            {
                return await client.GetObjectAsync(new GetObjectRequest { BucketName = bucket, Key = key, ByteRange = new ByteRange(first, last) }, token);
            }
            catch (AmazonS3Exception e) when (StorageErrors.IsNotFound(e))
            {
                return null;
            }
        },
        $"read '{key}'",
        isWrite: false,
        cancellationToken);

    /// <summary>Returns the metadata of an object, or <see langword="null"/> if it does not exist.</summary>
    public Task<GetObjectMetadataResponse?> FindMetadataAsync(string container, string key, CancellationToken cancellationToken) => RunAsync(
        async token =>
        {
            try
            {
                return await client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = container, Key = key }, token);
            }
            catch (AmazonS3Exception e) when (StorageErrors.IsNotFound(e))
            {
                return null;
            }
        },
        $"read the metadata of '{key}'",
        isWrite: false,
        cancellationToken);

    /// <summary>Writes an object whose key nothing else uses, or whose content is always the same.</summary>
    public Task PutAsync(string key, Stream content, CancellationToken cancellationToken) => RunAsync<object?>(
        async token =>
        {
            content.Position = 0;
            await client.PutObjectAsync(CreatePut(bucket, key, content), token);
            return null;
        },
        $"write '{key}'",
        isWrite: true,
        cancellationToken);

    /// <summary>Writes an object once, if it has the entity tag or, with <see langword="null"/>, if it does not exist.</summary>
    /// <exception cref="Exception">The request failed, in any of the ways that <see cref="StorageErrors"/> knows.</exception>
    /// <returns>The new entity tag.</returns>
    public async Task<string> PutOnceAsync(string key, byte[] bytes, string? eTag, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream(bytes, writable: false);
        PutObjectRequest request = CreatePut(bucket, key, content);
        request.IfMatch = eTag;
        request.IfNoneMatch = eTag is null ? "*" : null;
        return (await client.PutObjectAsync(request, cancellationToken)).ETag;
    }

    /// <summary>Deletes an object once, if it has the entity tag.</summary>
    /// <exception cref="Exception">The request failed, in any of the ways that <see cref="StorageErrors"/> knows.</exception>
    public Task DeleteOnceAsync(string key, string eTag, CancellationToken cancellationToken) =>
        BoundAsync(token => client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = bucket, Key = key, IfMatch = eTag }, token), cancellationToken);

    /// <summary>Deletes objects whose keys are never used again.</summary>
    public async Task DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        foreach (string[] chunk in keys.Chunk(MaxDeletedKeys))
        {
            await RunAsync(
                token => BoundAsync<AmazonWebServiceResponse>(
                    async token => chunk.Length == 1
                        ? await client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = bucket, Key = chunk[0] }, token)
                        : await client.DeleteObjectsAsync(
                            new DeleteObjectsRequest { BucketName = bucket, Objects = [.. chunk.Select(static key => new KeyVersion { Key = key })], Quiet = true }, token),
                    token),
                $"delete '{chunk[0]}'",
                isWrite: true,
                cancellationToken);
        }
    }

    /// <summary>Lists objects in the order of their keys, page by page.</summary>
    public async IAsyncEnumerable<IReadOnlyList<S3Object>> ListAsync(string prefix, string? startAfter, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? continuation = null;
        do
        {
            string? current = continuation;
            ListObjectsV2Response page = await RunAsync(
                token => BoundAsync(
                    token => client.ListObjectsV2Async(
                        new ListObjectsV2Request { BucketName = bucket, Prefix = prefix, StartAfter = current is null ? startAfter : null, ContinuationToken = current }, token),
                    token),
                $"list '{prefix}'",
                isWrite: false,
                cancellationToken);
            yield return page.S3Objects ?? [];
            continuation = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (continuation is not null);
    }

    /// <summary>Creates a URL to read an object. It expires by the clock of the service, so that the system clock counts.</summary>
    public async Task<Uri> CreateUrlAsync(string key, TimeSpan lifetime)
    {
        try
        {
            return new Uri(await client.GetPreSignedURLAsync(new GetPreSignedUrlRequest
            {
                BucketName = bucket,
                Key = key,
                Verb = HttpVerb.GET,
                Protocol = client.Config.ServiceURL?.StartsWith("http://", StringComparison.OrdinalIgnoreCase) == true ? Protocol.HTTP : Protocol.HTTPS,
                Expires = (TimeProvider.System.GetUtcNow() + lifetime).UtcDateTime,
            }));
        }
        catch (AmazonClientException e)
        {
            throw new InvalidOperationException($"The credentials of the store cannot sign URLs: {e.Message}", e);
        }
    }

    /// <summary>Runs a request that can be repeated.</summary>
    /// <exception cref="UploadStoreException">The request failed, also when it was repeated.</exception>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> run, string action, bool isWrite, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return await run(cancellationToken);
            }
            catch (Exception e) when (StorageErrors.IsStorageError(e))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (attempt == MaxAttempts || !StorageErrors.IsTransient(e))
                {
                    throw StorageErrors.Create(e, action, bucket, isWrite);
                }
            }

            await DelayAsync(attempt, cancellationToken);
        }
    }

    /// <summary>Sends a request without content, and ends it if its response does not end.</summary>
    /// <exception cref="TimeoutException">The response has not ended in time. The request may have taken effect.</exception>
    public Task<T> BoundAsync<T>(Func<CancellationToken, Task<T>> send, CancellationToken cancellationToken) =>
        // The SDK reads the body synchronously, and on the thread of the caller if the response has arrived early.
        Task.Run(() => send(cancellationToken), CancellationToken.None).WaitAsync(RequestTimeout, timeProvider, cancellationToken);

    /// <summary>Waits before another attempt.</summary>
    public Task DelayAsync(int attempt, CancellationToken cancellationToken) => Task.Delay(FirstDelay * (1 << (attempt - 1)), timeProvider, cancellationToken);

    public static PutObjectRequest CreatePut(string bucket, string key, Stream content) => new()
    {
        BucketName = bucket,
        Key = key,
        InputStream = content,
        AutoCloseStream = false,
        AutoResetStreamPosition = false,

        // A plain body, because not every service knows the chunks of the SDK.
        UseChunkEncoding = false,
    };
}
