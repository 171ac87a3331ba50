using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Client;
using ResumableUploads.Client.Engine;
using ResumableUploads.Client.Protocols;

namespace ResumableUploads.UnitTests.Client;

public class BackoffTests
{
    private static readonly SendResult Interrupted = new(null, new IOException("lost"));
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Delays_double_up_to_the_maximum_and_end()
    {
        var retries = new List<UploadRetry>();
        var backoff = new Backoff(
            new UploadRetryOptions { MaxRetries = 5, InitialDelay = TimeSpan.FromSeconds(1), MaxDelay = TimeSpan.FromSeconds(5), OnRetry = retries.Add }, _clock);
        for (int i = 0; i < 5; i++)
        {
            Assert.True(await WaitAsync(backoff, Interrupted));
        }

        Assert.False(await WaitAsync(backoff, Interrupted));
        Assert.Equal([1, 2, 3, 4, 5], retries.Select(static retry => retry.Attempt));
        Assert.All(retries.Zip([1.0, 2, 4, 5, 5]), static pair => Assert.InRange(pair.First.Delay.TotalSeconds, pair.Second / 2, pair.Second));
        backoff.Reset();
        Assert.True(await WaitAsync(backoff, Interrupted));
        Assert.InRange(retries[^1].Delay.TotalSeconds, 0.5, 1);
    }

    [Theory]
    [InlineData(20, 20)]
    [InlineData(0.001, 0.5)]
    public async Task Longer_Retry_After_has_precedence(double retryAfter, double atLeast)
    {
        var retries = new List<UploadRetry>();
        var backoff = new Backoff(new UploadRetryOptions { InitialDelay = TimeSpan.FromSeconds(1), MaxDelay = TimeSpan.FromSeconds(5), OnRetry = retries.Add }, new FakeTimeProvider());
        var response = new ServerResponse(503, [], ReadOnlyMemory<byte>.Empty, ClientResponses.Endpoint) { RetryAfter = TimeSpan.FromSeconds(retryAfter) };
        using var stop = new CancellationTokenSource();
        Task<bool> waiting = backoff.WaitAsync(new SendResult(response, null), stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.InRange(retries[0].Delay.TotalSeconds, atLeast, Math.Max(1, retryAfter));
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, retries[0].StatusCode);
    }

    [Fact]
    public async Task Retry_After_is_limited_to_one_hour()
    {
        var retries = new List<UploadRetry>();
        var backoff = new Backoff(new UploadRetryOptions { OnRetry = retries.Add }, _clock);
        var response = new ServerResponse(503, [], ReadOnlyMemory<byte>.Empty, ClientResponses.Endpoint) { RetryAfter = TimeSpan.FromDays(100) };
        Task<bool> waiting = backoff.WaitAsync(new SendResult(response, null), TestContext.Current.CancellationToken);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.True(await waiting);
        Assert.Equal(TimeSpan.FromHours(1), Assert.Single(retries).Delay);
    }

    [Theory]
    [InlineData("120", 120)]
    [InlineData("Sat, 01 Jan 2000 00:00:30 GMT", 30)]
    [InlineData("Fri, 31 Dec 1999 00:00:00 GMT", null)]
    [InlineData("soon", null)]
    public async Task Retry_After_is_seconds_or_a_date(string value, int? seconds)
    {
        using var message = new HttpResponseMessage(System.Net.HttpStatusCode.ServiceUnavailable);
        message.Headers.TryAddWithoutValidation("Retry-After", value);
        ServerResponse response = await ServerResponse.ReadAsync(message, ClientResponses.Endpoint, 100, new FakeTimeProvider(), TestContext.Current.CancellationToken);
        Assert.Equal(seconds, response.RetryAfter?.TotalSeconds);
    }

    /// <summary>Advances the clock until the wait ends.</summary>
    private async Task<bool> WaitAsync(Backoff backoff, SendResult last)
    {
        Task<bool> waiting = backoff.WaitAsync(last, TestContext.Current.CancellationToken);
        _clock.Advance(TimeSpan.FromMinutes(1));
        return await waiting;
    }
}
