using Microsoft.Extensions.DependencyInjection;

namespace ResumableUploads.Hosting;

internal sealed class ResumableUploadsBuilder(IServiceCollection services, string name) : IResumableUploadsBuilder
{
    public IServiceCollection Services => services;

    public string Name => name;
}
