using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ResumableUploads.Hosting.LargeBuffers;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Configures Kestrel for uploads.</summary>
public static class ResumableUploadsWebHostBuilderExtensions
{
    /// <summary>
    /// Lets Kestrel receive and send in blocks of 64 KiB instead of 4 KiB, so that a large upload needs fewer system calls and less processor time per
    /// GiB. Applies to every listener of the server.
    /// </summary>
    /// <remarks>
    /// <para>
    /// The price is memory: a connection with received data that was not read yet holds at least 64 KiB. A connection that waits for its client holds no
    /// block, as long as <c>SocketTransportOptions.WaitForDataBeforeAllocatingBuffer</c> has its default (<see langword="true"/>). Kestrel's own limits
    /// (<c>MaxRequestBufferSize</c>, 1 MiB) are unchanged.
    /// </para>
    /// <para>
    /// Free blocks are kept, up to 64 MiB for each I/O queue of the server. Blocks that were not used for 30 seconds are released to the garbage collector.
    /// </para>
    /// <para>
    /// Call it after <c>UseKestrel</c>, which would replace the blocks; <c>WebApplication.CreateBuilder</c> has already called that. It replaces a registered
    /// <see cref="IMemoryPoolFactory{T}"/> of bytes, which other servers may use too.
    /// </para>
    /// </remarks>
    /// <param name="builder">The web host builder, for example <c>builder.WebHost</c>.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static IWebHostBuilder UseLargeUploadBuffers(this IWebHostBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.ConfigureServices(static services => services.Replace(ServiceDescriptor.Singleton<IMemoryPoolFactory<byte>>(
            static provider => new LargeBlockPoolFactory(provider.GetService<TimeProvider>() ?? TimeProvider.System))));
    }
}
