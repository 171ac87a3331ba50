using System.Net;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;

namespace ResumableUploads.UnitTests.Stores.AzureBlobs;

/// <summary>The clock of the service, of which responses contain only whole seconds.</summary>
public sealed class ServiceClockTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly FakeService _service = new();
    private readonly HttpClient _client;
    private readonly AzureBlobUploadStore _store;

    public ServiceClockTests()
    {
        _client = new HttpClient(_service);
        BlobClientOptions options = AzureBlobUploadStore.CreateClientOptions();
        options.Transport = new HttpClientTransport(_client);
        _store = new AzureBlobUploadStore(new BlobContainerClient(new Uri("https://account.blob.core.windows.net/uploads"), options), options: null, _time);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Clock_never_moves_back_and_is_one_to_three_seconds_behind()
    {
        var random = new Random(5);
        DateTimeOffset expected = DateTimeOffset.MinValue;
        for (int i = 0; i < 200; i++)
        {
            DateTimeOffset reading = await _store.GetUtcNowAsync(Token);
            Assert.InRange(_service.UtcNow - reading, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
            Assert.True(reading >= expected, $"{reading:O} is before {expected:O}.");
            var elapsed = TimeSpan.FromMilliseconds(random.Next(100_000));
            Advance(elapsed, elapsed);
            expected = reading + elapsed;
        }
    }

    /// <summary>The service reports the time of a change in whole seconds, too.</summary>
    [Fact]
    public async Task Time_since_a_change_is_never_longer_than_it_was()
    {
        var random = new Random(6);
        for (int i = 0; i < 200; i++)
        {
            DateTimeOffset changed = _service.UtcNow;
            var elapsed = TimeSpan.FromMilliseconds(random.Next(5_000));
            Advance(elapsed, elapsed);
            Assert.True(await _store.GetUtcNowAsync(Token) - CutDown(changed) <= elapsed);
        }
    }

    [Theory]
    [InlineData(0.99)]
    [InlineData(1.01)]
    public async Task Clock_of_the_service_wins_over_a_machine_that_is_too_fast_or_too_slow(double speed)
    {
        for (int i = 0; i < 100; i++)
        {
            DateTimeOffset reading = await _store.GetUtcNowAsync(Token);
            Assert.InRange(_service.UtcNow - reading, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
            Advance(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1) * speed);
        }
    }

    [Theory]
    [InlineData(false, HttpStatusCode.NotFound, StoreFailure.Unavailable)]
    [InlineData(true, HttpStatusCode.Forbidden, StoreFailure.ReadOnly)]
    public async Task Response_without_a_time_or_an_error_fails(bool hasDate, HttpStatusCode status, StoreFailure failure)
    {
        (_service.HasDate, _service.Status) = (hasDate, status);
        UploadStoreException exception = await Assert.ThrowsAsync<UploadStoreException>(async () => await _store.GetUtcNowAsync(Token));
        Assert.Equal(failure, exception.Failure);
    }

    private void Advance(TimeSpan service, TimeSpan machine)
    {
        _service.UtcNow += service;
        _time.Advance(machine);
    }

    private static DateTimeOffset CutDown(DateTimeOffset time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    private sealed class FakeService : HttpMessageHandler
    {
        public DateTimeOffset UtcNow { get; set; } = DateTimeOffset.UnixEpoch.AddYears(60).AddMilliseconds(900);

        public bool HasDate { get; set; } = true;

        public HttpStatusCode Status { get; set; } = HttpStatusCode.NotFound;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = new HttpResponseMessage(Status) { RequestMessage = request };
            response.Headers.Date = HasDate ? CutDown(UtcNow) : null;
            response.Headers.Add("x-ms-error-code", Status == HttpStatusCode.NotFound ? "BlobNotFound" : "AuthorizationFailure");
            return Task.FromResult(response);
        }
    }
}
