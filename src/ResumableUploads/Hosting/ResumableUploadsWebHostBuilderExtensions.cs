using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ResumableUploads.Hosting.LargeBuffers;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Kestrel, set up for uploads.</summary>
public static class ResumableUploadsWebHostBuilderExtensions
{
    /// <summary>
    /// Lets Kestrel receive and send in blocks of 64 KiB, where its own have 4 KiB: a large upload takes fewer system calls, and less of the processor for each
    /// GiB. It holds for every endpoint of the server.
    /// </summary>
    /// <remarks>
    /// <para>
    /// The price is memory: a connection that has sent a part of something holds at least 64 KiB until that is read. One that waits for its client holds none, be it
    /// between two requests or in the middle of a slow upload, as long as <c>SocketTransportOptions.WaitForDataBeforeAllocatingBuffer</c>
    /// has its default, true. Kestrel's own bounds (<c>MaxRequestBufferSize</c>, 1 MiB) are as they were.
    /// </para>
    /// <para>
    /// Free blocks are kept, up to 64 MiB for each I/O queue of the server. Those that nobody needed for thirty seconds are let go, and a later garbage collection
    /// gives their memory back.
    /// </para>
    /// <para>
    /// Default: not called, blocks of 4 KiB. Call it after <c>UseKestrel</c>, which otherwise puts its own blocks in place again; <c>WebApplication.CreateBuilder</c> has
    /// called that. It replaces an <see cref="IMemoryPoolFactory{T}"/> of bytes that was registered before. Another server than Kestrel that takes its memory from there
    /// gets these blocks too.
    /// </para>
    /// </remarks>
    /// <param name="builder">The web host: <c>builder.WebHost</c>.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static IWebHostBuilder UseLargeUploadBuffers(this IWebHostBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.ConfigureServices(static services => services.Replace(ServiceDescriptor.Singleton<IMemoryPoolFactory<byte>>(
            static provider => new LargeBlockPoolFactory(provider.GetService<TimeProvider>() ?? TimeProvider.System))));
    }
}
