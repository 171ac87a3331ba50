using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Options;

public class StoreBuilderTests
{
    [Fact]
    public void UseMemoryStore_creates_one_store_for_all_endpoints()
    {
        using ServiceProvider services = Services(static services => services.AddResumableUploads().UseMemoryStore(1234));
        IUploadStore first = Create(services).Store!;
        Assert.IsType<MemoryUploadStore>(first);
        Assert.Same(first, Create(services).Store);
    }

    [Fact]
    public void UseStore_resolves_constructor_parameters_and_creates_one_store()
    {
        using ServiceProvider services = Services(static services =>
        {
            services.AddSingleton(new Inner(new MemoryUploadStore()));
            services.AddResumableUploads().UseStore<InnerStore>();
        });
        InnerStore store = Assert.IsType<InnerStore>(Create(services).Store);
        Assert.Same(store, Create(services).Store);
        Assert.Same(services.GetRequiredService<Inner>(), store.Inner);
    }

    [Fact]
    public async Task UseStore_with_a_delegate_creates_one_store_and_disposes_it()
    {
        var created = new List<MemoryUploadStore>();
        using (ServiceProvider services = Services(services => services.AddResumableUploads().UseMemoryStore().UseStore(provider =>
        {
            Assert.NotNull(provider.GetService<IOptionsMonitor<ResumableUploadOptions>>());
            created.Add(new MemoryUploadStore());
            return created[^1];
        })))
        {
            Assert.Empty(created);
            Assert.Same(Create(services).Store, Create(services).Store);
        }

        MemoryUploadStore store = Assert.Single(created);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.GetAsync(new UploadKey("owner", "id"), default));
    }

    [Fact]
    public void Last_configured_store_is_used()
    {
        using ServiceProvider memoryLast = Services(static services => services.AddResumableUploads().UseFileSystemStore("x").UseMemoryStore());
        using ServiceProvider filesLast = Services(static services => services.AddResumableUploads().UseMemoryStore().UseFileSystemStore("x"));
        Assert.IsType<MemoryUploadStore>(Create(memoryLast).Store);
        Assert.Null(Create(filesLast).Store);
        Assert.Equal("x", Create(filesLast).Directory);
    }

    [Fact]
    public void UseFileSystemStore_configures_the_options_of_the_store()
    {
        using ServiceProvider services = Services(static services =>
            services.AddResumableUploads(static options => (options.Directory, options.FileSystem.SyncSize) = ("uploads", 5)).UseFileSystemStore(static store =>
            {
                store.Directory += "-1";
                store.Durability = Durability.ProcessCrash;
                store.SyncSize *= 2;
                store.SyncInterval = TimeSpan.FromSeconds(3);
                store.MaxThreads /= 2;
            }));
        ResumableUploadOptions options = Create(services);
        Assert.Equal(
            ("uploads-1", Durability.ProcessCrash, 10, TimeSpan.FromSeconds(3), 256),
            (options.Directory, options.FileSystem.Durability, options.FileSystem.SyncSize, options.FileSystem.SyncInterval, options.FileSystem.MaxThreads));
    }

    [Fact]
    public void UseMemoryStore_on_named_options_does_not_affect_other_options()
    {
        using ServiceProvider services = Services(static services =>
        {
            services.AddResumableUploads("a").UseMemoryStore();
            services.AddResumableUploads("b").UseMemoryStore();
            services.AddResumableUploads();
        });
        Assert.Null(Create(services).Store);
        Assert.NotSame(Create(services, "a").Store, Create(services, "b").Store);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UseFileSystemStore_is_preferred_to_a_store_service(bool useFileSystem)
    {
        using var service = new MemoryUploadStore();
        await using TestApp app = await TestApp.StartAsync(
            services: builder =>
            {
                builder.Services.AddSingleton<IUploadStore>(service);
                IResumableUploadsBuilder uploads = builder.Services.AddResumableUploads();
                _ = useFileSystem ? uploads.UseFileSystemStore("chosen") : uploads;
            },
            before: static app => app.UseResumableUploads(),
            useUploads: false,
            onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, [1], 10);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(useFileSystem, Directory.Exists(Path.Combine(app.Directory, "chosen", "uploads")));
    }

    [Fact]
    public void Invalid_arguments_throw()
    {
        IResumableUploadsBuilder builder = new ServiceCollection().AddResumableUploads();
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.UseMemoryStore(0));
        Assert.Throws<ArgumentException>(() => builder.UseFileSystemStore(" "));
        Assert.Throws<ArgumentNullException>(() => ResumableUploadsBuilderExtensions.UseMemoryStore(null!));
    }

    private static ServiceProvider Services(Action<IServiceCollection> configure)
    {
        WebApplicationBuilder builder = OptionsBindingTests.Builder();
        configure(builder.Services);
        return builder.Services.BuildServiceProvider();
    }

    private static ResumableUploadOptions Create(IServiceProvider services, string name = "") =>
        services.GetRequiredService<IOptionsFactory<ResumableUploadOptions>>().Create(name);

    internal sealed record Inner(IUploadStore Store);

    internal sealed class InnerStore(Inner inner) : DelegatingUploadStore(inner.Store)
    {
        public Inner Inner { get; } = inner;
    }
}
