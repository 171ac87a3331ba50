using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>An endpoint that catches the cancellation of its request and returns, as it may do for a client that has disconnected.</summary>
public class EndpointCancellationTests
{
    private const string Path = "/e";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Response_after_shutdown_canceled_the_endpoint_is_not_final(bool hasBody)
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await EndpointApp.StartAsync(app => app.MapPost(Path, async (CancellationToken cancellationToken) =>
        {
            entered.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return hasBody ? Results.Ok(new { IsSaved = true }) : Results.Empty;
        }).WithResumableUploads());
        Task<HttpResponseMessage> sent = app.Client.AppendAsync("f", 0, new ByteArrayContent([1, 2, 3]), 3, Path);
        await entered.Task.WaitAsync(TimeSpan.FromMinutes(2));
        await app.Services.GetRequiredService<IHost>().StopAsync().WaitAsync(TimeSpan.FromMinutes(2));
        await sent.ShouldBeProblemAsync(503, Own + "handler-failed", 3);
    }
}
