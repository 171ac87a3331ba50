using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Options;

/// <summary>Each option that is not a setting of the engine has an effect: an app without it and an app with it behave differently.</summary>
public class OptionEffectTests
{
    private static readonly byte[] Content = "hello"u8.ToArray();

    private static readonly Dictionary<string, Effect> Effects = new()
    {
        ["UploadPath"] = new(static options => options.UploadPath = "/own", static app => AppendAsync(app, path: "/own"), "404", "200"),
        ["StatusPath"] = new(static options => options.StatusPath = "/own", static app => StatusOfAsync(app.Client.SendFileIdAsync("GET", "/own", null)), "404", "200"),
        ["Directory"] = new(static options => options.Directory += "/own", static app => HasDirectoryAsync(app, "own/uploads"), "False", "True"),
        ["Store"] = new(static options => options.UseMemoryStore(), static app => HasDirectoryAsync(app, "uploads"), "True", "False"),
        ["MaxUploadSize"] = new(static options => options.MaxUploadSize = 5000, static app => GetLimitAsync(app, "max-size"), "10737418240", "5000"),
        ["Expiration"] = new(static options => options.Expiration = TimeSpan.FromMinutes(1), static app => GetLimitAsync(app, "max-age"), "604800", "60"),
        ["AnonymousOwner"] = new(static options => options.AnonymousOwner = AnonymousOwner.Reject, static app => AppendAsync(app), "200", "401"),
        ["Owner"] = new(static options => options.Owner = GetOwnHeader, GetOffsetOfOtherAsync, "3", "0"),
        ["Scope"] = new(static options => options.Scope = GetOwnHeader, GetOffsetOfOtherAsync, "3", "0"),
        ["AcceptTickets"] = new(static options => options.AcceptTickets = true, static app => AppendAsync(app, path: "/upload?ticket=x"), "200", "403"),
        ["VolatileQueryParameters"] = new(static options => options.VolatileQueryParameters.Add("token"), ContinueWithOtherTokenAsync, "409", "200"),
        ["AllowDownload"] = new(static options => options.AllowDownload = true, DownloadAsync, "False", "True"),
        ["ProgressEvents"] = new(static options => options.ProgressEvents = true, FollowAsync, "text/plain", "text/event-stream"),
        ["Limits:MaxAppendSize"] = new(static options => options.Limits.MaxAppendSize = 3, static app => AppendAsync(app), "200", "413"),
        ["Timeouts:MaxAge"] = new(static options => options.Timeouts.MaxAge = TimeSpan.FromMinutes(1), static app => GetLimitAsync(app, "max-age"), "604800", "60"),
        ["Handler:MaxStoredResponseSize"] = new(static options => options.Handler.MaxStoredResponseSize = 2, static app => RepeatAsync(app, isHeader: false), "hello", ""),
        ["Handler:StoredHeaders"] = new(static options => options.Handler.StoredHeaders.Add("X-Own"), static app => RepeatAsync(app, isHeader: true), "", "own"),
        ["FileId:RestartOnZero"] = new(static options => options.FileId.RestartOnZero = true, StartAgainAsync, "409", "200"),
        ["FileId:CompleteOnFullBody"] = new(static options => options.FileId.CompleteOnFullBody = false, AppendWithoutSizeAsync, "true", "false"),
        ["Tus:SendResponseBody"] = new(static options => options.Tus.SendResponseBody = true, FinishWithTusAsync, "204", "200"),
        ["Ietf:MinUploadSize"] = new(static options => options.Ietf.MinUploadSize = 3, static app => GetLimitAsync(app, "min-size"), "", "3"),
        ["Ietf:MinAppendSize"] = new(static options => options.Ietf.MinAppendSize = 3, static app => GetLimitAsync(app, "min-append-size"), "", "3"),
        ["Ietf:InterimResponses"] = new(static options => options.Ietf.InterimResponses = InterimResponses.Always, GetFirstResponseAsync, "201", "104") { NeedsKestrel = true },
    };

    public static TheoryData<string> Names => [.. Effects.Keys];

    private static IEnumerable<PropertyInfo> Events => typeof(UploadEventHandlers).GetProperties();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Option_has_an_effect(string name)
    {
        Effect effect = Effects[name];
        foreach (bool isSet in new[] { false, true })
        {
            await using TestApp app = await EndpointApp.StartAsync(
                static app =>
                {
                    app.UseResumableUploads();
                    app.MapPost("/endpoint", static context =>
                    {
                        context.Response.Headers["X-Own"] = "own";
                        return context.Response.WriteAsync("hello");
                    }).WithResumableUploads();
                },
                isSet ? effect.Set : null,
                static builder => builder.Services.AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>(),
                onTestHost: !effect.NeedsKestrel);
            Assert.Equal((isSet, isSet ? effect.Changed : effect.Default), (isSet, await effect.Observe(app)));
        }
    }

    [Fact]
    public async Task Event_of_the_options_is_called()
    {
        foreach (PropertyInfo handler in Events)
        {
            PropertyInfo option = typeof(ResumableUploadOptions).GetProperty(handler.Name)!;
            var options = new ResumableUploadOptions();
            Assert.Null(handler.GetValue(new UploadEventHandlers(options)));

            var called = new InvalidOperationException(handler.Name);
            Func<object, CancellationToken, Task> callback = (_, _) => Task.FromException(called);
            option.SetValue(options, callback.Method.CreateDelegate(option.PropertyType, callback.Target));
            var combined = (Delegate)handler.GetValue(new UploadEventHandlers(options))!;
            Assert.Same(called, await Assert.ThrowsAsync<InvalidOperationException>(() => (Task)combined.DynamicInvoke(null, CancellationToken.None)!));
        }
    }

    [Fact]
    public void Every_option_of_the_file_system_reaches_the_store()
    {
        var options = new ResumableUploadOptions { Directory = Path.GetFullPath("own") };
        var expected = new Dictionary<string, object?> { [nameof(options.Directory)] = options.Directory };
        foreach (PropertyInfo property in typeof(ResumableUploadFileSystemOptions).GetProperties())
        {
            object value = property.PropertyType == typeof(TimeSpan) ? TimeSpan.FromSeconds(17)
                : property.PropertyType == typeof(Durability) ? Durability.ProcessCrash
                : Convert.ChangeType(17, property.PropertyType, CultureInfo.InvariantCulture);
            Assert.NotEqual(value, property.GetValue(options.FileSystem));
            property.SetValue(options.FileSystem, value);
            expected.Add(property.Name, value);
        }

        using ServiceProvider services = new ServiceCollection().BuildServiceProvider();
        FileSystemUploadStoreOptions used = GetContext(new SharedUploadServices(services).GetFileSystemStore(options)).Options;
        Assert.Equal(
            expected.OrderBy(static option => option.Key, StringComparer.Ordinal),
            typeof(FileSystemUploadStoreOptions).GetProperties()
                .Select(property => KeyValuePair.Create(property.Name, property.GetValue(used))).OrderBy(static option => option.Key, StringComparer.Ordinal));
    }

    [Fact]
    public void Every_option_is_tested()
    {
        string[] all = [.. OptionProperties.All().Select(static option => option.Key)];
        Assert.Empty(Effects.Keys.Except(all));
        Assert.DoesNotContain(all, static key =>
            !Effects.ContainsKey(key)
            && !key.StartsWith("FileSystem:", StringComparison.Ordinal)
            && !Events.Any(handler => handler.Name == key)
            && !EngineSettingsMappingTests.Covers(key.Split(':')[^1]));
    }

    private static string GetOwnHeader(HttpContext context) => context.Request.Headers["X-Own"].ToString();

    private static async Task<string> StatusOfAsync(Task<HttpResponseMessage> sending) => (await sending.StatusOfAsync()).ToString(CultureInfo.InvariantCulture);

    private static Task<string> AppendAsync(TestApp app, int start = 0, int? end = null, string path = "/upload") =>
        StatusOfAsync(app.Client.AppendAsync("f", start, new ByteArrayContent(Content[start..(end ?? Content.Length)]), Content.Length, path));

    private static async Task<string> AppendWithoutSizeAsync(TestApp app)
    {
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, Content);
        return response.Header("X-Upload-Complete") ?? "";
    }

    private static async Task<string> HasDirectoryAsync(TestApp app, string name)
    {
        await AppendAsync(app);
        return Directory.Exists(Path.Combine(app.Directory, name)).ToString();
    }

    private static async Task<string> GetOffsetOfOtherAsync(TestApp app)
    {
        using HttpResponseMessage created = await app.Client.AppendAsync("f", 0, Content[..3], Content.Length, ("X-Own", "one"));
        (_, string? offset) = await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/upload", ("X-Own", "other"));
        return offset ?? "";
    }

    private static async Task<string> ContinueWithOtherTokenAsync(TestApp app)
    {
        await AppendAsync(app, 0, 3, "/endpoint?token=1");
        return await AppendAsync(app, 3, null, "/endpoint?token=2");
    }

    private static async Task<string> StartAgainAsync(TestApp app)
    {
        await AppendAsync(app, 0, 3);
        return await AppendAsync(app);
    }

    private static async Task<string> DownloadAsync(TestApp app)
    {
        string url = await app.Client.CreateAsync("/upload", Content.Length);
        using HttpResponseMessage finished = await app.Client.AppendChunkAsync(url, 0, Content);
        return (await (await app.Client.GetAsync(url)).Content.ReadAsStringAsync() == "hello").ToString();
    }

    /// <summary>Follows an upload that is complete, so that the events end at once. Returns the type of the response.</summary>
    private static async Task<string> FollowAsync(TestApp app)
    {
        await AppendAsync(app);
        using HttpResponseMessage response = await app.Client.SendFileIdAsync("GET", "/upload", null, ("Accept", "text/event-stream"));
        return response.Content.Headers.ContentType!.MediaType!;
    }

    private static async Task<string> FinishWithTusAsync(TestApp app) =>
        await StatusOfAsync(app.Client.AppendChunkAsync(await app.Client.CreateAsync("/endpoint", Content.Length), 0, Content));

    /// <summary>Returns the body or a header of the stored response.</summary>
    private static async Task<string> RepeatAsync(TestApp app, bool isHeader)
    {
        await AppendAsync(app, path: "/endpoint");
        using HttpResponseMessage repeated = await app.Client.AppendAsync("f", Content.Length, new ByteArrayContent([]), Content.Length, "/endpoint");
        return isHeader ? repeated.Header("X-Own") ?? "" : await repeated.Content.ReadAsStringAsync();
    }

    /// <summary>Returns a member of <c>Upload-Limit</c>.</summary>
    private static async Task<string> GetLimitAsync(TestApp app, string name)
    {
        using HttpResponseMessage response = await app.Client.IetfAsync("OPTIONS", "/upload", IetfClient.Newest);
        return response.Header("Upload-Limit")!.Split([',', '='], StringSplitOptions.TrimEntries).SkipWhile(text => text != name).ElementAtOrDefault(1) ?? "";
    }

    private static async Task<string> GetFirstResponseAsync(TestApp app)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "Upload-Draft-Interop-Version: 10", "Upload-Complete: ?0", "Content-Length: 0");
        return (await connection.ReadResponseAsync())!.Status.ToString(CultureInfo.InvariantCulture);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_context")]
    private static extern ref StoreContext GetContext(FileSystemUploadStore store);

    /// <param name="Set">Sets the option.</param>
    /// <param name="Observe">Sends requests, and returns what depends on the option.</param>
    /// <param name="Default">The result with the default.</param>
    /// <param name="Changed">The result with the option set.</param>
    private sealed record Effect(Action<ResumableUploadOptions> Set, Func<TestApp, Task<string>> Observe, string Default, string Changed)
    {
        /// <summary>Gets whether TestHost does not support what is observed.</summary>
        public bool NeedsKestrel { get; init; }
    }
}
