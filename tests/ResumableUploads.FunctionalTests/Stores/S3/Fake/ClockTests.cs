using System.Reflection;
using Amazon.S3;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

/// <summary>Times are those of the service, whatever the clocks of the servers show. Its header has whole seconds, which must not make an upload expire early.</summary>
public sealed class ClockTests : IAsyncLifetime
{
    private static readonly DateTimeOffset ServiceStart = new(2031, 5, 6, 7, 8, 9, 250, TimeSpan.Zero);
    private static readonly DateTimeOffset WrongTime = new(2040, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The precision that the store assumes for the header.</summary>
    private static readonly TimeSpan HeaderPrecision = TimeSpan.FromSeconds(2);

    private readonly FakeTimeProvider _machine = new(WrongTime);
    private readonly FakeS3Server _server = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private DateTimeOffset Service => ServiceStart + (_machine.GetUtcNow() - WrongTime);

    public ValueTask InitializeAsync()
    {
        _server.UtcNow = () => Service;
        return _server.InitializeAsync();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Times_are_those_of_the_service()
    {
        using TestBucket bucket = await _server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open(_machine);
        AssertIsChangeTime((await store.CreateAsync()).LastModified);
        Assert.InRange(await store.GetUtcNowAsync(Token), Service.AddSeconds(-1), Service);
        _machine.Advance(TimeSpan.FromMinutes(5));
        await store.AppendAsync(0, TestUploads.Bytes(100));
        AssertIsChangeTime((await store.GetAsync()).LastModified);
        _machine.Advance(TimeSpan.FromMinutes(5));
        AssertIsChangeTime((await store.SetStateAsync(UploadState.Received)).LastModified);
        Assert.InRange(await store.GetUtcNowAsync(Token), Service.AddSeconds(-1), Service);
    }

    /// <summary>A server that changes an upload and another one that compares its expiration read the header at different moments of a second.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Rounding_expires_nothing_early_and_no_time_goes_back(int seed)
    {
        const int Steps = 60;
        var random = new Random(seed);
        using TestBucket bucket = await _server.CreateBucketAsync();
        S3UploadStore[] stores = [bucket.Open(_machine), bucket.Open(_machine), bucket.Open(_machine)];
        DateTimeOffset[] last = new DateTimeOffset[stores.Length];
        DateTimeOffset lastChange = (await stores[0].CreateAsync()).LastModified;
        for (int step = 0; step < Steps; step++)
        {
            _machine.Advance(TimeSpan.FromMilliseconds(random.Next(1500)));
            int index = random.Next(stores.Length);
            if (random.Next(2) == 0)
            {
                DateTimeOffset now = await stores[index].GetUtcNowAsync(Token);
                Assert.InRange(now, last[index], Service);
                last[index] = now;
            }
            else
            {
                DateTimeOffset change = (await stores[index].SetStateAsync(UploadState.Receiving)).LastModified;
                AssertIsChangeTime(change);
                Assert.True(change >= lastChange, $"Step {step}: {change:O} after {lastChange:O}");
                lastChange = change;
            }
        }

        Assert.All(stores, static store => store.Dispose());
    }

    [Fact]
    public async Task Clock_that_is_set_back_is_followed()
    {
        using TestBucket bucket = await _server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open(_machine);
        await store.GetUtcNowAsync(Token);
        _server.UtcNow = () => Service - TimeSpan.FromHours(1);
        Assert.InRange(await store.GetUtcNowAsync(Token), Service.AddHours(-1).AddSeconds(-1), Service.AddHours(-1) + HeaderPrecision);
        Assert.InRange((await store.CreateAsync()).LastModified, Service.AddHours(-1), Service.AddHours(-1) + HeaderPrecision);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Response_without_header_leaves_the_clock_of_the_machine(bool hidesHeader)
    {
        using TestBucket bucket = await _server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open(_machine, options => options.Client = hidesHeader ? ForwardingClient.Create(bucket.Client) : bucket.Client);
        if (!hidesHeader)
        {
            _server.UtcNow = static () => null;
        }

        Assert.Equal(WrongTime, await store.GetUtcNowAsync(Token));
        Assert.Equal(WrongTime, (await store.CreateAsync()).LastModified);
    }

    private void AssertIsChangeTime(DateTimeOffset time) => Assert.InRange(time, Service, Service + HeaderPrecision);

    /// <summary>A client that is not one of the SDK, so that its responses show no headers.</summary>
    public class ForwardingClient : DispatchProxy
    {
        private IAmazonS3? _inner;

        public static IAmazonS3 Create(IAmazonS3 inner)
        {
            IAmazonS3 client = Create<IAmazonS3, ForwardingClient>();
            ((ForwardingClient)(object)client)._inner = inner;
            return client;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Invoke(_inner, args);
    }
}
