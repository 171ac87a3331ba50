using Microsoft.AspNetCore.Builder;

namespace ResumableUploads.Hosting;

/// <summary>Two endpoints that an app sees as one: what it says of one holds for both.</summary>
internal sealed class BothBuilders(IEndpointConventionBuilder first, IEndpointConventionBuilder second) : IEndpointConventionBuilder
{
    public void Add(Action<EndpointBuilder> convention)
    {
        first.Add(convention);
        second.Add(convention);
    }

    public void Finally(Action<EndpointBuilder> finallyConvention)
    {
        first.Finally(finallyConvention);
        second.Finally(finallyConvention);
    }
}
