using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace ResumableUploads.Hosting.Options.Validation;

/// <summary>Fails for keys in the configuration section that no option has: a misspelled option would silently keep its default.</summary>
internal sealed class ConfigurationKeyValidator(IConfiguration configuration, RegisteredOptions registered) : IValidateOptions<ResumableUploadOptions>
{
    public ValidateOptionsResult Validate(string? name, ResumableUploadOptions options)
    {
        IConfigurationSection section = configuration.GetSection(OptionKeys.SectionOf(name ?? ""));
        string[] failures = [.. UnknownKeys(section, isDefault: string.IsNullOrEmpty(name))];
        return failures.Length > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    private IEnumerable<string> UnknownKeys(IConfigurationSection section, bool isDefault)
    {
        foreach (IConfigurationSection child in section.GetChildren())
        {
            IEnumerable<string> failures = isDefault && Is(child.Key, OptionKeys.Endpoints) ? UnknownEndpoints(child)
                : child.Key.Length > 0 && OptionKeys.Groups.ContainsKey(child.Key) ? InGroup(section, child)
                : InOption(section, child, "");
            foreach (string failure in failures)
            {
                yield return failure;
            }
        }
    }

    private static IEnumerable<string> InGroup(IConfigurationSection section, IConfigurationSection group) =>
        string.IsNullOrEmpty(group.Value)
            ? group.GetChildren().SelectMany(child => InOption(section, child, group.Key))
            : [$"{group.Path} has the value '{group.Value}', but it is a group of options: {string.Join(", ", OptionKeys.Groups[group.Key])}."];

    private static IEnumerable<string> InOption(IConfigurationSection section, IConfigurationSection option, string group) =>
        !OptionKeys.Groups[group].Contains(option.Key, StringComparer.OrdinalIgnoreCase)
            ? [Unknown(option, $"{section.Path}:{OptionKeys.Nearest(option.Path[(section.Path.Length + 1)..])}")]
        : OptionKeys.IsList(option.Key) ? []
        : option.GetChildren().Select(child => Unknown(child, option.Path));

    private static string Unknown(IConfigurationSection key, string nearest) =>
        $"{key.Path} is not an option that configuration can set. The nearest known key is {nearest}.";

    private IEnumerable<string> UnknownEndpoints(IConfigurationSection endpoints)
    {
        string[] names = [.. registered.Names.Where(static name => name.Length > 0)];
        foreach (IConfigurationSection endpoint in endpoints.GetChildren())
        {
            if (!names.Any(name => Is(name, endpoint.Key)))
            {
                string nearest = NearestName.Of(endpoint.Key, names) is { } one ? $" The nearest registered name is '{one}'." : "";
                yield return $"{endpoint.Path} has no options: AddResumableUploads(\"{endpoint.Key}\") was not called.{nearest}";
            }
        }
    }

    private static bool Is(string x, string y) => x.Equals(y, StringComparison.OrdinalIgnoreCase);
}
