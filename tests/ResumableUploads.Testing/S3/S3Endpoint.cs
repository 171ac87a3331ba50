using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.Testing.S3;

/// <summary>A service with buckets for tests.</summary>
public abstract class S3Endpoint : IAsyncLifetime
{
    public abstract string ServiceUrl { get; }

    protected virtual AWSCredentials Credentials => new BasicAWSCredentials("test", "testtest");

    public abstract ValueTask InitializeAsync();

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    public abstract ValueTask CreateBucketAsync(string bucket);

    public AmazonS3Client CreateClient() => ClientFactory.Create(new S3UploadStoreOptions { ServiceUrl = ServiceUrl }, Credentials);

    /// <summary>Creates an empty bucket.</summary>
    public async Task<TestBucket> CreateBucketAsync()
    {
        string name = $"test-{Guid.NewGuid():N}";
        await CreateBucketAsync(name);
        return new TestBucket(this, name);
    }
}

/// <summary>A bucket of one test, with the stores of the test.</summary>
public sealed class TestBucket(S3Endpoint endpoint, string name) : IDisposable
{
    private readonly AmazonS3Client _client = endpoint.CreateClient();

    public string Name => name;

    public AmazonS3Client Client => _client;

    /// <summary>Opens a store with small segments.</summary>
    public S3UploadStore Open(TimeProvider? timeProvider = null, Action<S3UploadStoreOptions>? configure = null)
    {
        var options = new S3UploadStoreOptions
        {
            Bucket = name,
            Client = _client,
            SegmentSize = S3UploadStoreOptions.MinSegmentSize,
            MaxBufferedBytes = 4 << 20,
            CleanUpInterval = TimeSpan.Zero,
        };
        configure?.Invoke(options);
        return new S3UploadStore(options, timeProvider, NullLogger<S3UploadStore>.Instance);
    }

    /// <summary>Returns the content of an object.</summary>
    public async Task<byte[]> ReadAsync(string key, CancellationToken cancellationToken)
    {
        using GetObjectResponse response = await _client.GetObjectAsync(name, key, cancellationToken);
        using var copy = new MemoryStream();
        await response.ResponseStream.CopyToAsync(copy, cancellationToken);
        return copy.ToArray();
    }

    public void Dispose() => _client.Dispose();
}
