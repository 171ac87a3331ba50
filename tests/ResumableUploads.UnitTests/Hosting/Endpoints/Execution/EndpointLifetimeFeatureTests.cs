using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Endpoints.Routing;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution;

public class EndpointLifetimeFeatureTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Endpoint_ends_the_connection_only_of_a_request_of_its_upload(bool isDetached, bool resets)
    {
        var connection = new Connection();
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestLifetimeFeature>(connection);
        context.Features.Set<IHttpResetFeature>(connection);
        using var lifetime = new EndpointLifetimeFeature(context, new EndpointTarget(null!, null!, HasRequestTimeouts: false), TimeProvider.System, default)
        {
            IsDetached = isDetached,
        };
        if (resets)
        {
            lifetime.Reset(8);
        }
        else
        {
            lifetime.Abort();
        }

        Assert.Equal((true, true), (lifetime.IsAborted, lifetime.RequestAborted.IsCancellationRequested));
        Assert.Equal(isDetached ? "" : resets ? "reset 8" : "aborted", connection.End);
    }

    private sealed class Connection : IHttpRequestLifetimeFeature, IHttpResetFeature
    {
        public string End { get; private set; } = "";

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => End += "aborted";

        public void Reset(int errorCode) => End += $"reset {errorCode}";
    }
}
