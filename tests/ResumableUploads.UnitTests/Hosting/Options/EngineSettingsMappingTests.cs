using System.Globalization;
using System.Reflection;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Options;
using ResumableUploads.UnitTests.Engine;

namespace ResumableUploads.UnitTests.Hosting.Options;

/// <summary>Each option, with a value of its own, is read where the engine uses it.</summary>
public class EngineSettingsMappingTests
{
    /// <summary>The names in the engine that differ from the options.</summary>
    private static readonly Dictionary<string, string> OptionOf = new()
    {
        [nameof(EngineSettings.MaxHandlerAttempts)] = nameof(ResumableUploadHandlerOptions.MaxAttempts),
        [nameof(EngineSettings.HandlerLeaseDuration)] = nameof(ResumableUploadHandlerOptions.LeaseDuration),
        [nameof(EngineSettings.HandlerRetryDelay)] = nameof(ResumableUploadHandlerOptions.RetryDelay),
        [nameof(EngineSettings.MaxHandlerRetryDelay)] = nameof(ResumableUploadHandlerOptions.MaxRetryDelay),
    };

    /// <summary>Settings that are not the value of one option of the same type.</summary>
    private static readonly string[] Derived = [nameof(EngineSettings.GetEngineNames), nameof(EngineSettings.StartOverAfterCompletion)];

    /// <summary>Returns whether the tests of this class set an option.</summary>
    internal static bool Covers(string option) =>
        option == nameof(ResumableUploadHandlerOptions.RepeatBehavior)
        || typeof(EngineSettings).GetProperties().Any(setting => OptionOf.GetValueOrDefault(setting.Name, setting.Name) == option);

    [Fact]
    public void Every_setting_has_the_value_of_its_option()
    {
        var options = new ResumableUploadOptions();
        var values = new Dictionary<string, object>();
        int next = 1000;
        foreach ((string key, PropertyInfo property) in OptionProperties.All())
        {
            int number = next++;
            object? value = property.PropertyType == typeof(TimeSpan) ? TimeSpan.FromSeconds(number)
                : property.PropertyType == typeof(long) || property.PropertyType == typeof(int) ? Convert.ChangeType(number, property.PropertyType, CultureInfo.InvariantCulture)
                : null;
            if (value is not null)
            {
                (object owner, PropertyInfo option) = OptionProperties.Find(options, key);
                option.SetValue(owner, value);
                values.Add(property.Name, value);
            }
        }

        EngineSettings settings = options.ToEngineSettings(static () => ["name"], hasHandler: true);
        foreach (PropertyInfo setting in typeof(EngineSettings).GetProperties().Where(static setting => setting.CanWrite && !Derived.Contains(setting.Name)))
        {
            string option = OptionOf.GetValueOrDefault(setting.Name, setting.Name);
            Assert.True(values.TryGetValue(option, out object? expected), $"Setting {setting.Name} has no option of this name: add it to this test.");
            Assert.Equal((setting.Name, expected), (setting.Name, setting.GetValue(settings)));
        }
    }

    [Fact]
    public void Defaults_are_the_settings_that_the_engine_tests_use() =>
        Assert.Equal(
            TestSettings.Default with { HandlerLeaseDuration = TimeSpan.FromSeconds(15) }, new ResumableUploadOptions().ToEngineSettings(TestSettings.Default.GetEngineNames, hasHandler: true));

    [Fact]
    public void Derived_settings_follow_their_options()
    {
        var options = new ResumableUploadOptions { Handler = { RepeatBehavior = RepeatBehavior.StartOver } };
        EngineSettings settings = options.ToEngineSettings(static () => ["name"], hasHandler: false);
        Assert.Equal(("name", true, null), (settings.GetEngineNames().Single(), settings.StartOverAfterCompletion, settings.CompletedRetention));
        Assert.False(new ResumableUploadOptions().ToEngineSettings(static () => ["name"], hasHandler: true).StartOverAfterCompletion);
    }
}
